import { chosen } from "../chosen.ts";
import { type Figure, machine, missed, report, writeReadme } from "../report.ts";
import { Bench } from "./bench.ts";
import { claimsOnPostgres, claimsOnSqlite } from "./claims.ts";
import { feed } from "./feed.ts";
import { lists } from "./list.ts";
import { memory } from "./memory.ts";
import { listsWhileClaiming } from "./mixed.ts";
import { claimNext } from "./next.ts";
import { requirePgbench } from "./pgbench.ts";
import { startToReady } from "./start.ts";

/**
 * What the companion server must reach: `npm run bench:server`, `-- --readme` to put it there, `-- --quick` for trying things
 * out, `-- --only claims,feed` for some rows. Ends with 1 when a bar is missed. Ratios within one run; what is compared takes turns.
 */

const ROWS: Readonly<Record<string, (bench: Bench) => Promise<Figure | Figure[]>>> = {
  claims: claimsOnPostgres,
  next: claimNext,
  sqlite: claimsOnSqlite,
  feed,
  list: lists,
  start: startToReady,
  memory,
  mixed: listsWhileClaiming,
};

async function main(): Promise<void> {
  requirePgbench();
  const bench = await Bench.open(process.argv.includes("--quick"));
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => void bench.end().finally(() => process.exit(130)));
  try {
    const figures: Figure[] = [];
    for (const name of chosen(ROWS)) figures.push(...[(await ROWS[name]?.(bench)) ?? []].flat());
    const text = `${report(figures)}\n\nMeasured on ${machine(await bench.peers())}.`;
    process.stdout.write(`${text}\n`);
    if (process.argv.includes("--readme")) writeReadme(text, "bench:server");
    process.exitCode = missed(figures).length > 0 ? 1 : 0;
  } finally {
    await bench.end();
  }
}

await main();
