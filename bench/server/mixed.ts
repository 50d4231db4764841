import type { Figure } from "../report.ts";
import type { Bench } from "./bench.ts";
import { CLAIM, LIST, load } from "./drive.ts";
import { NPM } from "./served.ts";

const TASKS = 8378;
const CLAIMS_A_SECOND = 500;
const LISTS_A_SECOND = 50;

/** How long a list takes while others claim, both at a steady pace. */
export async function listsWhileClaiming(bench: Bench): Promise<Figure[]> {
  const seconds = bench.quick ? 5 : 15;
  const figures: Figure[] = [];
  for (const [kind, store] of [
    ["postgres", "Postgres"],
    ["sqlite", "SQLite"],
  ] as const) {
    bench.progress(`${store}: lists while ${CLAIMS_A_SECOND} claims a second run`);
    const claims = CLAIMS_A_SECOND * seconds;
    const served = await bench.serve(NPM, kind, TASKS);
    const { port } = served;
    await load({ port, clients: 4, requests: [LIST], first: 1, count: 200, expect: [200] });
    const [claimed, listed] = await Promise.all([
      load({ port, clients: 32, requests: [CLAIM], first: 1, count: claims, rate: CLAIMS_A_SECOND, expect: [200] }),
      load({
        port,
        clients: 4,
        requests: [LIST],
        first: 1,
        count: LISTS_A_SECOND * seconds,
        rate: LISTS_A_SECOND,
        expect: [200],
      }),
    ]);
    await bench.stop(served);
    figures.push({
      what: `\`GET /tasks\`, 100 of them, ${store}, while ${CLAIMS_A_SECOND} claims/s run: p99`,
      value: listed.p99,
      unit: " ms",
      bar: 50,
      moonshot: 15,
      detail: `p50 ${listed.p50.toFixed(1)} ms, ${LISTS_A_SECOND} lists/s; claims ${claimed.perSecond.toFixed(0)}/s, p99 ${claimed.p99.toFixed(1)} ms`,
    });
  }
  return figures;
}
