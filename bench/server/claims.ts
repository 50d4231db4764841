import { median } from "../measure.ts";
import type { Figure } from "../report.ts";
import type { Bench } from "./bench.ts";
import { CLAIM, load, requireHeld, run } from "./drive.ts";
import { floorClaims, makeFloor, PGBENCH_CLIENTS, requireFloorHeld } from "./pgbench.ts";
import { NPM } from "./served.ts";

const WARM = 5000;

interface Rounds {
  readonly rounds: number;
  readonly claims: number;
}

const perSecond = (values: readonly number[]) => `${median(values).toFixed(0)}/s`;

/** Claims by id with their journal through HTTP and Postgres, beside one bare statement a claim from pgbench; in turns. */
export async function claimsOnPostgres(bench: Bench): Promise<Figure> {
  const clients = 64;
  const { rounds, claims }: Rounds = bench.quick ? { rounds: 3, claims: 10_000 } : { rounds: 7, claims: 20_000 };
  const total = WARM + rounds * claims;
  bench.progress(`Postgres: claims by id beside pgbench, ${total} tasks`);
  await makeFloor(bench.postgres, total);
  const served = await bench.serve(NPM, "postgres", total);
  const plan = { port: served.port, clients, requests: [CLAIM], expect: [200] };
  await load({ ...plan, first: 1, count: WARM });
  const ours: number[] = [];
  const floor: number[] = [];
  const waits: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const first = 1 + WARM + round * claims;
    await bench.postgres.query("CHECKPOINT");
    floor.push(floorClaims(bench.postgres, bench.dir, first, claims));
    await bench.postgres.query("CHECKPOINT");
    const seen = await load({ ...plan, first, count: claims });
    ours.push(seen.perSecond);
    waits.push(seen.p50);
  }
  await requireHeld(served.url, total);
  await requireFloorHeld(bench.postgres, rounds * claims);
  await bench.stop(served);
  return {
    what: `claims by id, HTTP + Postgres, ${clients} clients ÷ pgbench, bare update, ${PGBENCH_CLIENTS} clients`,
    value: median(ours) / median(floor),
    bar: 0.8,
    moonshot: 1.5,
    more: true,
    detail: `${perSecond(ours)} ÷ ${perSecond(floor)}; a claim took ${median(waits).toFixed(1)} ms`,
  };
}

/** Claims by id through HTTP and SQLite, beside the same ledger called in one process; in turns, each on its own file. */
export async function claimsOnSqlite(bench: Bench): Promise<Figure> {
  const clients = 32;
  const { rounds, claims }: Rounds = bench.quick ? { rounds: 3, claims: 5000 } : { rounds: 7, claims: 10_000 };
  const total = WARM + rounds * claims;
  bench.progress(`SQLite: claims by id beside the same without HTTP, ${total} tasks`);
  // The process beside us warms up in each round; this one only once.
  const file = await bench.file(rounds * (claims + WARM));
  const served = await bench.serve(NPM, "sqlite", total);
  const plan = { port: served.port, clients, requests: [CLAIM], expect: [200] };
  await load({ ...plan, first: 1, count: WARM });
  const ours: number[] = [];
  const direct: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const alone = await run<{ perSecond: number }>("direct.ts", file, `${1 + round * (claims + WARM)}`, `${claims}`);
    direct.push(alone.perSecond);
    ours.push((await load({ ...plan, first: 1 + WARM + round * claims, count: claims })).perSecond);
  }
  await requireHeld(served.url, total);
  await bench.stop(served);
  return {
    what: `claims by id, HTTP + SQLite, ${clients} clients ÷ the same without HTTP`,
    value: median(ours) / median(direct),
    bar: 0.4,
    moonshot: 0.8,
    more: true,
    detail: `${perSecond(ours)} ÷ ${perSecond(direct)}`,
  };
}
