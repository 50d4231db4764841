import { defineCommand } from "../../kit/command.ts";
import type { Context } from "../../kit/context.ts";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { type Column, printResults, printRows, type View } from "../../kit/output.ts";
import type { Style } from "../../kit/style.ts";
import { oneLine, truncate } from "../../kit/text.ts";
import { choose, isRoute, type NoRoute, type Route } from "../../models/choose.ts";
import type { StatusDocument } from "../../models/document.ts";
import { modelsFolder, readOverrides } from "../../models/files.ts";
import { whatIsKnown, whyUnsure } from "../../models/known.ts";
import { routeColumns, routeJson } from "../../models/shown.ts";
import { MANIFEST_FLAG } from "./flags.ts";

export const command = defineCommand({
  summary: "which address and model to use now",
  description: `From what \`alai models watch\` wrote last: nothing is asked, so this takes milliseconds. Without a name all tiers are listed. --manifest counts only where nobody watches.
Where nobody watches, or the watcher is dead, the first choice is given with the state unknown, and that is said on stderr. What \`alai models watch --once\` found is gone by for ten minutes; after the first of them stderr says as of when it is.
Exit 0 with a route, 1 when nothing answers, 3 for a name that is neither a tier nor a model, and without watcher and manifest.
Lines (not on a terminal): address, model, endpoint, state; without a name the tier stands first.`,
  examples: [
    ["alai models route 2c", "where tier 2c is now"],
    ["OLLAMA_HOST=$(alai models route 2c --quiet) ollama ps", "only the address, for another program"],
    ["alai models route llama3.1:8b --json", "by a model's name, and why it is this one"],
  ],
  args: [{ name: "name", summary: "a tier or a model", optional: true }],
  flags: { ...MANIFEST_FLAG },
  fields: {
    asked: "the tier or model",
    tier: "the tier whose rule was used, or null",
    url: "the endpoint's address, without a path",
    model: "the model's name there",
    endpoint: "the endpoint's name in the manifest",
    kind: "its API: ollama, openai or anthropic",
    state: "up, down (an override leads there all the same), or unknown",
    since: "since when it is in that state, or null",
    via: "first, fallback or override",
    until: "when the override ends, or null",
    seen: "when this was seen, or null",
    skipped: "what stood before it, and why it is not that",
  },
  async run(context, { args: [name], flags }) {
    const document = whatIsKnown(context, flags.manifest);
    const overrides = readOverrides(modelsFolder(context.paths.data));
    const find = (asked: string) => choose(document, overrides, asked, context.clock());
    const unsure = whyUnsure(context, document);
    if (unsure) context.warn(unsure);
    if (name === undefined) return listTiers(context, document.tiers.map((tier) => find(tier.name)).filter(isFound));
    const route = find(name);
    if (!route) throw await unknownName(document, name);
    if (!isRoute(route)) throw nothingAnswers(route);
    if (route.state === "down")
      context.warn(`${route.endpoint} is down; the override of ${route.tier} leads there all the same.`);
    await printResults(context, [route], ONE, true);
    return EXIT.ok;
  },
});

const value = (at: number) => (route: Route) => routeColumns(route)[at] ?? "";

const COLUMNS: readonly Column<Route>[] = ["ADDRESS", "MODEL", "ENDPOINT", "STATE"].map((header, at) => ({
  header,
  value: value(at),
}));

const ONE: View<Route> = { columns: COLUMNS, json: routeJson, sentence };

function sentence({ url, model, endpoint, state, via, skipped }: Route, style: Style): string {
  const why = skipped.map((one) => `${one.endpoint}: ${one.why}`).join("; ");
  const notes = [endpoint, via === "first" ? "" : via, state === "up" ? "" : state, why].filter(Boolean);
  return `${style.strong(oneLine(url))}  ${oneLine(model)}  ${style.dim(oneLine(`(${notes.join(", ")})`))}`;
}

type Found = Route | NoRoute;

function isFound(found: Found | null): found is Found {
  return found !== null;
}

async function listTiers(context: Context, found: readonly Found[]): Promise<number> {
  await printRows<Found>(context, found, {
    columns: [
      { header: "TIER", value: ({ tier }) => tier ?? "" },
      ...COLUMNS.map(
        (column): Column<Found> => ({
          header: column.header,
          value: (one) => (isRoute(one) ? column.value(one) : column.header === "STATE" ? "down" : ""),
        }),
      ),
      { header: "VIA", value: (one) => (isRoute(one) ? one.via : ""), only: "table" },
    ],
    json: (one) => (isRoute(one) ? routeJson(one) : { ...EMPTY, ...one }),
    empty: "The manifest names no tiers of models.",
  });
  return found.every(isRoute) ? EXIT.ok : EXIT.refused;
}

/** A tier that leads nowhere, with the same keys as one that does. */
const EMPTY = {
  ...{ asked: null, tier: null, url: null, model: null, endpoint: null, kind: null, state: "down" },
  ...{ since: null, via: null, until: null, seen: null },
};

async function unknownName(document: StatusDocument, asked: string): Promise<Exit> {
  const { suggest } = await import("../../kit/suggest.ts");
  const tiers = document.tiers.map(({ name }) => name);
  const models = document.endpoints.flatMap((endpoint) => endpoint.models.map(({ name }) => name));
  const near = suggest(asked, [...new Set([...tiers, ...models])]);
  const known = `Tiers are: ${tiers.join(", ")}.`;
  return new Exit(
    EXIT.notFound,
    "not_found",
    `There is no tier and no model ${truncate(oneLine(asked), 60)}.`,
    near ? `Did you mean ${near}? ${known}` : `${known} Models: alai models status`,
  );
}

function nothingAnswers({ asked, skipped }: NoRoute): Exit {
  return new Exit(EXIT.refused, "no_route", `Nothing answers for ${asked}.`, "Look at alai models status.", {
    lines: skipped.map(({ endpoint, model, why }) => `${endpoint}/${model}: ${why}`),
    details: { asked, skipped },
  });
}
