import type { Database } from "../../dr/manifest/model.ts";
import { age } from "../../dr/status/age.ts";
import { letterOf } from "../../dr/status/heat.ts";
import type { DatabaseStatus } from "../../dr/status/status.ts";
import { bytes, exactly } from "../lengths.ts";
import { plain, table } from "../markdown.ts";
import { flowchart, label } from "../mermaid.ts";
import { type Facts, type Page, timeOf } from "../page.ts";

export const heatMap: Page = {
  title: "Heat map",
  file: "10-heat-map.md",
  uses: { state: true, drill: false },
  body: (
    facts,
  ) => `**A** proven by a heartbeat that was read back out of storage. **B** proven by Litestream's position in a listing of storage. **d** safe, but something is off. **C** only Litestream says so. **X** breached. **?** unknown. **·** empty, nothing to lose.

## Tiers

${counts(facts)}
${diagram(facts)}
## Databases

${databases(facts)}`,
};

const LETTERS = ["A", "B", "d", "C", "X", "?", "·"];

/** Where nobody answered nothing is known, and that is what is shown. */
function letter(one: DatabaseStatus | undefined): string {
  return one ? letterOf(one) : "?";
}

function statusOf({ status }: Facts, name: string): DatabaseStatus | undefined {
  return status?.databases.find((one) => one.name === name);
}

function byTier({ manifest }: Facts): readonly (readonly [tier: string, members: readonly Database[]])[] {
  return manifest.tiers
    .toSorted((a, b) => a.order - b.order)
    .map(({ name }) => [
      name,
      manifest.databases.filter(({ tier }) => tier.name === name).toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    ]);
}

function counts(facts: Facts): string {
  const rows = byTier(facts).map(([tier, members]) => {
    const letters = members.map(({ name }) => letter(statusOf(facts, name)));
    return [
      plain(tier),
      `${members.length}`,
      ...LETTERS.map((each) => `${letters.filter((one) => one === each).length || ""}`),
    ];
  });
  return table(["Tier", "Databases", ...LETTERS], rows);
}

/** Colours by what they mean; the letters say the same. */
const CLASSES = [
  "classDef ok fill:#1a7f4b,color:#fff",
  "classDef warn fill:#b26a00,color:#fff",
  "classDef bad fill:#c02626,color:#fff",
  "classDef dim fill:#777,color:#fff",
];
const CLASS_OF: Readonly<Record<string, string>> = {
  A: "ok",
  B: "ok",
  d: "warn",
  C: "warn",
  X: "bad",
  "?": "bad",
  "·": "dim",
};

function diagram(facts: Facts): string {
  const tiers = byTier(facts).flatMap(([tier, members], at) => [
    `subgraph t${at}[${label(tier)}]`,
    ...members.map(({ name }, place) => {
      const mark = letter(statusOf(facts, name));
      return `  d${at}_${place}[${label(`${mark} ${name}`)}]:::${CLASS_OF[mark] ?? "dim"}`;
    }),
    "end",
  ]);
  return flowchart("LR", [...tiers, ...CLASSES]);
}

function databases(facts: Facts): string {
  const rows = byTier(facts).flatMap(([tier, members]) =>
    members.map((database) => {
      const one = statusOf(facts, database.name);
      const size = database.size === null ? "?" : bytes(database.size);
      const proven = one?.provenAt == null ? "never, as far as is known" : timeOf(one.provenAt);
      const why = one ? one.reasons.map(plain).join(" ") : "";
      return [
        letter(one),
        plain(database.name),
        plain(tier),
        size,
        ...[age(one?.rpo ?? null), exactly(database.tier.rpo), age(one?.shipLag ?? null), age(one?.copyLag ?? null)],
        ...[proven, why],
      ];
    }),
  );
  const header = ["", "Database", "Tier", "Planned size", "Lost at most", "Allowed", "Ship lag", "Copy lag"];
  return table([...header, "Last proven", "Why"], rows);
}
