import { defineCommand } from "../../kit/command.ts";
import type { Context } from "../../kit/context.ts";
import { Exit, usage } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { printResults, printRows, type View } from "../../kit/output.ts";
import { oneLine, truncate } from "../../kit/text.ts";
import { duration, longText, MAX_REASON } from "../../kit/values.ts";
import { relative } from "../../kit/when.ts";
import type { StatusDocument, Target } from "../../models/document.ts";
import { modelsFolder, readOverrides } from "../../models/files.ts";
import { whatIsKnown } from "../../models/known.ts";
import { requireOffered } from "../../models/offered.ts";
import { clearOverride, type Recorded, recorded, setOverride } from "../../models/set-override.ts";
import { iso } from "../../models/shown.ts";
import { MANIFEST_FLAG } from "./flags.ts";

/** One that nobody remembers is no override any more. */
const LONGEST = 30 * 86_400_000;

export const command = defineCommand({
  summary: "lead a tier elsewhere for a time, on record",
  description: `Until its time is over, \`alai models route\` gives that endpoint and model, whatever state they are in. The endpoint must have the model: where the watcher does not see it now, the endpoint is asked; while it does not answer, only models that the manifest names there are taken, and others with --unchecked. Without a tier the overrides in force are listed; --history lists everything that was ever said, and by whom.
Lines (not on a terminal): tier, endpoint, model, until, who, when, reason; with --history: set or clear stands first.`,
  examples: [
    ["alai models override 2c --to claude/claude-sonnet-4-6 --for 2h", "forge is being repaired"],
    ["alai models override 2c --clear", "by the rules again"],
    ["alai models override", "what is in force"],
  ],
  args: [{ name: "tier", summary: "a tier of models", optional: true }],
  flags: {
    ...MANIFEST_FLAG,
    to: { value: "ENDPOINT/MODEL", summary: "where the tier leads", parse: target },
    for: { value: "TIME", summary: "for how long: 30m, 2h, 1d; at most 30d", parse: span },
    reason: { value: "TEXT", summary: "why, for the record", parse: longText("reason", MAX_REASON) },
    unchecked: { summary: "also to a model that cannot be seen there" },
    clear: { summary: "end the tier's override" },
    history: { summary: "list everything on record" },
  },
  fields: {
    what: "set or clear",
    tier: "the tier",
    endpoint: "where it leads",
    model: "the model there",
    until: "when it ends by itself",
    by: "who said so",
    at: "when",
    reason: "why, or null",
  },
  async run(context, { args: [tier], flags }) {
    if (tier === undefined || flags.history) return list(context, flags, tier);
    if (flags.clear) return clear(context, tier, flags);
    if (!flags.to || flags.for === undefined)
      throw usage(
        "An override needs --to ENDPOINT/MODEL and --for TIME.",
        `Type for example: alai models override ${oneLine(tier)} --to forge/llama3.1:8b --for 2h`,
      );
    const document = whatIsKnown(context, flags.manifest);
    checkKnown(document, tier, flags.to);
    if (!flags.unchecked) await requireOffered(context, document, flags.to, flags.manifest);
    const until = context.clock() + flags.for;
    const set = await setOverride(context, tier, { ...flags.to, until, reason: flags.reason ?? null });
    await printResults(context, [{ what: "set" as const, ...set }], view(context, false), true);
    return EXIT.ok;
  },
});

function target(raw: string): Target {
  const [, endpoint, model] = /^([^/]+)\/(.+)$/.exec(raw) ?? [];
  if (endpoint && model) return { endpoint, model };
  throw usage(
    `"${truncate(oneLine(raw), 40)}" is no endpoint and model.`,
    "Type ENDPOINT/MODEL, for example --to forge/llama3.1:8b.",
  );
}

function span(raw: string): number {
  const ms = duration(raw);
  if (ms > 0 && ms <= LONGEST) return ms;
  throw usage(`An override for "${truncate(oneLine(raw), 40)}" is not allowed.`, "Type a time up to 30d.");
}

function checkKnown({ tiers, endpoints }: StatusDocument, tier: string, to: Target): void {
  if (!tiers.some(({ name }) => name === tier))
    throw new Exit(
      EXIT.notFound,
      "not_found",
      `There is no tier ${truncate(oneLine(tier), 60)}.`,
      `Tiers are: ${tiers.map(({ name }) => name).join(", ")}.`,
    );
  const endpoint = endpoints.find(({ name }) => name === to.endpoint);
  if (!endpoint)
    throw new Exit(
      EXIT.notFound,
      "not_found",
      `There is no endpoint ${truncate(oneLine(to.endpoint), 60)}.`,
      `Endpoints are: ${endpoints.map(({ name }) => name).join(", ")}.`,
    );
}

interface Flags {
  readonly to?: Target | undefined;
  readonly for?: number | undefined;
  readonly reason?: string | undefined;
  readonly clear?: boolean | undefined;
  readonly history?: boolean | undefined;
}

async function list(context: Context, flags: Flags, tier: string | undefined): Promise<number> {
  if (flags.to || flags.for !== undefined || flags.clear)
    throw usage("Which tier?", "Type for example: alai models override 2c --clear");
  const now = context.clock();
  const inForce = readOverrides(modelsFolder(context.paths.data)).filter(({ until }) => now < until);
  const rows = flags.history ? recorded(context) : inForce.map((one): Recorded => ({ what: "set", ...one }));
  await printRows(
    context,
    rows.filter((row) => tier === undefined || row.tier === tier),
    view(context, flags.history === true),
  );
  return EXIT.ok;
}

async function clear(context: Context, tier: string, flags: Flags): Promise<number> {
  if (flags.to || flags.for !== undefined)
    throw usage("--clear ends an override; --to and --for make one.", "Leave one of them out.");
  const cleared = await clearOverride(context, tier, flags.reason ?? null);
  if (!cleared)
    throw new Exit(
      EXIT.notFound,
      "not_found",
      `No override of ${truncate(oneLine(tier), 60)} is in force.`,
      "Type alai models override to see which are.",
    );
  const { actor: by } = context.identity();
  const said: Recorded = { ...cleared, what: "clear", by, at: context.clock(), reason: flags.reason ?? null };
  await printResults(context, [said], view(context, false), true);
  return EXIT.ok;
}

function view(context: Context, history: boolean): View<Recorded> {
  const now = context.clock();
  return {
    columns: [
      ...(history ? [{ header: "WHAT", value: ({ what }: Recorded) => what }] : []),
      { header: "TIER", value: ({ tier }) => tier },
      { header: "ENDPOINT", value: ({ endpoint }) => endpoint },
      { header: "MODEL", value: ({ model }) => model },
      { header: "UNTIL", value: ({ until }) => iso(until) ?? "", show: ({ until }) => relative(until, now) },
      { header: "BY", value: ({ by }) => by },
      { header: "WHEN", value: ({ at }) => iso(at) ?? "", show: ({ at }) => relative(at, now) },
      { header: "REASON", value: ({ reason }) => reason ?? "", flexible: true, optional: true },
    ],
    json: ({ what, tier, endpoint, model, until, by, at, reason }) => ({
      ...{ what, tier, endpoint, model, until: iso(until), by, at: iso(at), reason },
    }),
    sentence: ({ what, tier, endpoint, model, until }, style) =>
      what === "clear"
        ? `${style.strong(oneLine(tier))} goes by the rules again.`
        : `${style.strong(oneLine(tier))} leads to ${oneLine(endpoint)}/${oneLine(model)}; ends ${relative(until, now)}.`,
    empty: "No override is in force.",
  };
}
