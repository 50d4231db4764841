import { median } from "../measure.ts";
import type { Figure } from "../report.ts";
import type { Bench } from "./bench.ts";
import { CLAIM_NEXT, load, requireHeld, run } from "./drive.ts";
import { NPM } from "./served.ts";

const WORKERS = 24;
const TASKS = 8378;
const WARM = 1000;

/** The best task for whoever asks, through HTTP and Postgres, beside two job queues on the same Postgres; in turns, each on a new store. */
export async function claimNext(bench: Bench): Promise<Figure[]> {
  const rounds = bench.quick ? 2 : 5;
  const jobs = bench.quick ? 2000 : 5000;
  bench.progress("Postgres: claim-next beside pg-boss and graphile-worker");
  const ours: number[] = [];
  const boss: number[] = [];
  const graphile: number[] = [];
  for (let round = 0; round < rounds; round++) {
    boss.push(await peer(bench, "pgboss.ts", jobs));
    ours.push(await claimSome(bench, jobs));
    graphile.push(await peer(bench, "graphile.ts", jobs));
  }
  const against = (what: string, theirs: readonly number[], bar: number, moonshot: number): Figure => ({
    what: `claim-next, HTTP + Postgres, ${WORKERS} clients ÷ ${what}`,
    value: median(ours) / median(theirs),
    bar,
    moonshot,
    more: true,
    detail: `${median(ours).toFixed(0)}/s ÷ ${median(theirs).toFixed(0)}/s`,
  });
  return [
    against(`pg-boss, fetch and complete one by one`, boss, 1.5, 5),
    against(`graphile-worker, unbatched`, graphile, 1, 3),
  ];
}

async function peer(bench: Bench, script: string, jobs: number): Promise<number> {
  const url = await bench.database();
  await bench.postgres.query("CHECKPOINT");
  return (await run<{ perSecond: number }>(script, url, `${jobs}`, `${WORKERS}`)).perSecond;
}

async function claimSome(bench: Bench, jobs: number): Promise<number> {
  const served = await bench.serve(NPM, "postgres", TASKS);
  const plan = { port: served.port, clients: WORKERS, requests: [CLAIM_NEXT], first: 1, expect: [200] };
  await load({ ...plan, count: WARM });
  await bench.postgres.query("CHECKPOINT");
  const { perSecond } = await load({ ...plan, count: jobs });
  await requireHeld(served.url, WARM + jobs);
  await bench.stop(served);
  return perSecond;
}
