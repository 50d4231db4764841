import { forecast } from "../../dr/cost/forecast.ts";
import { add } from "../../dr/cost/model.ts";
import { PRICES, perMonth } from "../../dr/cost/prices.ts";
import { exactly } from "../lengths.ts";
import { block, cellCode, plain, table } from "../markdown.ts";
import type { Facts, Page } from "../page.ts";
import { classesOf, primaryOf } from "../views.ts";

/** As the agent looks, and as services page, where nothing else is told. */
const POLL = 5000;
const PAGE_SIZES = { azure: 5000, s3: 1000, file: 5000 } as const;

export const replication: Page = {
  title: "Replication",
  file: "03-replication.md",
  uses: { state: false, drill: false },
  body: (
    facts,
  ) => `Litestream has one retention for each process, so there is one process for each class. The agent of the primary makes their configurations, starts them, and starts them again; nobody else does.

## Processes

${processes(facts)}
## Databases

Each replica is below the promotion epoch, \`e<N>/\`: what an old primary still sends never ends up in the replicas of the new one.

${databases(facts)}
## What it costs

${cost(facts)}
## By hand

${block("sh", `alai dr manifest check                     # manifest, disk and storage say the same\nalai dr render --host ${primaryOf(facts).name} --diff   # what would change in the host's files\nalai dr cost                               # with what agents have counted`)}`,
};

function processes(facts: Facts): string {
  const rows = classesOf(facts).map((one) => [
    plain(one.process),
    cellCode(one.name),
    `${one.databases.length}`,
    exactly(one.retention),
    exactly(one.snapshotInterval),
    cellCode(one.address),
  ]);
  return table(["Process", "Configuration", "Databases", "History kept", "Snapshot every", "Metrics"], rows);
}

function databases({ manifest }: Facts): string {
  const rows = manifest.databases
    .toSorted((a, b) => a.tier.order - b.tier.order || (a.name < b.name ? -1 : 1))
    .map((one) => [
      plain(one.name),
      plain(one.tier.name),
      cellCode(one.path),
      cellCode(`e<N>/${one.name}`),
      exactly(one.syncInterval),
      one.heartbeat === null ? "none" : exactly(one.heartbeat),
      one.owner === null ? "" : plain(one.owner),
      one.optional ? "may be missing" : "",
    ]);
  return table(["Database", "Tier", "File", "Replica", "Sent every", "Heartbeat", "Service", ""], rows);
}

function cost({ manifest }: Facts): string {
  const { type } = manifest.storage;
  const prices = PRICES[type];
  const { ours, defaults } = forecast(manifest, { poll: POLL, pageSize: PAGE_SIZES[type] });
  const dollars = (load: "idle" | "busy", items: typeof ours) =>
    perMonth(add(...items.map((item) => item[load])), prices).toFixed(2);
  const row = (name: string, items: typeof ours) => [plain(name), dollars("idle", items), dollars("busy", items)];
  const rows = [
    ...ours.map((item) => row(item.name, [item])),
    row("in all", ours),
    ...defaults.map((item) => row(`instead: ${item.name}`, [item])),
  ];
  return `Requests to storage, dollars a month, computed from the manifest; idle is heartbeats alone, busy a change in every database at every sync. Prices: ${plain(prices.source)}.

${table(["Who asks storage", "Idle", "Busy"], rows)}`;
}
