import type { Millis } from "@alai/core";
import { defineCommand } from "../../kit/command.ts";
import type { Context } from "../../kit/context.ts";
import { EXIT } from "../../kit/exit.ts";
import { printRows } from "../../kit/output.ts";
import { relative } from "../../kit/when.ts";
import { type StatusDocument, staleFor } from "../../models/document.ts";
import { modelsFolder, readOverrides } from "../../models/files.ts";
import { whatIsKnown, whyUnsure } from "../../models/known.ts";
import { iso } from "../../models/shown.ts";
import { type StatusRow, statusRows } from "../../models/status-rows.ts";
import { MANIFEST_FLAG } from "./flags.ts";

const COLOUR = { up: "good", down: "bad", unknown: "warn" } as const;
const MARK = { up: "✓", down: "✗", unknown: "?" } as const;

export const command = defineCommand({
  summary: "endpoints and models: up or down, since when, how quick",
  description: `What \`alai models watch\` found last; nothing is asked.
Exit 0 when all is up, 1 when something is down, 69 when that is not known: nobody watches, or the watcher is dead; 3 when there is no manifest either.
Lines (not on a terminal): endpoint, model, state, since, milliseconds, address, why.`,
  examples: [["alai models status", "which models answer?"]],
  args: [],
  flags: { ...MANIFEST_FLAG },
  fields: {
    endpoint: "its name in the manifest",
    host: "the host it runs on, or null",
    model: "one of its models; null for an endpoint of which no model is named",
    state: "up, down or unknown",
    since: "since when, or null",
    latency_ms: "how long the endpoint's last answer took, or null",
    url: "its address",
    trouble: "connection, timeout, http, missing, or null",
    why: "the same in words, or null",
    seen: "when it was looked at last, or null",
  },
  async run(context, { flags }) {
    const document = whatIsKnown(context, flags.manifest);
    await printStatus(context, document);
    return statusCode(context, document);
  },
});

/** 0, 1 or 69, as the command's help says. */
export function statusCode(context: Context, document: StatusDocument): number {
  const states = statusRows(document, context.clock()).map(({ state }) => state);
  if (!document.watcher || staleFor(document, context.clock()) !== null) return EXIT.unavailable;
  if (states.includes("down")) return EXIT.refused;
  return states.includes("unknown") ? EXIT.unavailable : EXIT.ok;
}

export async function printStatus(context: Context, document: StatusDocument): Promise<void> {
  const now = context.clock();
  const unsure = whyUnsure(context, document);
  if (unsure) context.warn(unsure);
  await printRows<StatusRow>(context, statusRows(document, now), {
    columns: [
      { header: "ENDPOINT", value: ({ endpoint }) => endpoint },
      { header: "MODEL", value: ({ model }) => model ?? "" },
      {
        header: "STATE",
        value: ({ state }) => state,
        show: ({ state }, style) => style[COLOUR[state]](`${MARK[state]} ${state}`),
      },
      {
        header: "SINCE",
        value: ({ since }) => iso(since) ?? "",
        show: ({ since }) => (since === null ? "" : relative(since, now)),
      },
      { header: "MS", value: ({ latency }) => shownLatency(latency), right: true },
      { header: "ADDRESS", value: ({ url }) => url, expendable: 1 },
      { header: "WHY", value: ({ why }) => why ?? "", flexible: true, wraps: true, optional: true },
    ],
    json: ({ latency, since, seen, ...row }) => ({
      ...{ ...row, since: iso(since), latency_ms: latency, seen: iso(seen) },
    }),
    empty: "The manifest names no endpoints.",
  });
  sayOverrides(context, now);
}

function shownLatency(latency: Millis | null): string {
  return latency === null ? "" : latency.toFixed(0);
}

/** On a terminal only: `alai models override` lists them for programs. */
function sayOverrides(context: Context, now: Millis): void {
  if (!context.io.stderrIsTty || context.flags.quiet || context.flags.json) return;
  for (const { tier, endpoint, model, until, by } of readOverrides(modelsFolder(context.paths.data)))
    if (now < until) context.warn(`${tier} leads to ${endpoint}/${model}, by ${by}; ends ${relative(until, now)}.`);
}
