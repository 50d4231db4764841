import type { Figure } from "../report.ts";
import type { Bench } from "./bench.ts";
import { CLAIM, LIST, load } from "./drive.ts";
import type { Template } from "./plan.ts";
import { NPM, residentMiB } from "./served.ts";

const FEW = 1000;
const MANY = 100_000;
const TASKS = 8378;

/** What clients ask for in a day: mostly claims and looks, now and then a list, a note. Tasks come round: 409 is an answer too. */
function mix(): Template[] {
  const task = { method: "GET", path: "/tasks/{task}" };
  const status = { method: "GET", path: "/tasks/{task}/lease" };
  const note = { method: "POST", path: "/tasks/{task}/notes", body: '{"text":"seen by {client}"}' };
  const claim = { ...CLAIM, path: "/tasks/{task}/lease" };
  const release = { method: "DELETE", path: "/tasks/{task}/lease" };
  return [claim, status, claim, task, release, claim, status, note, claim, LIST];
}

/** Resident memory of the server after many requests, beside after few. */
export async function memory(bench: Bench): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const [kind, store] of [
    ["postgres", "Postgres"],
    ["sqlite", "SQLite"],
  ] as const) {
    const many = bench.quick ? MANY / 10 : MANY;
    bench.progress(`${store}: memory after ${many} requests`);
    const served = await bench.serve(NPM, kind, TASKS);
    const plan = { port: served.port, clients: 32, requests: mix(), tasks: TASKS, expect: [200, 201, 409] };
    await load({ ...plan, first: 1, count: FEW });
    const after = residentMiB(served.pid);
    await load({ ...plan, first: 1 + FEW, count: many - FEW });
    const later = residentMiB(served.pid);
    await bench.stop(served);
    figures.push({
      what: `memory, HTTP + ${store}: after ${many} requests ÷ after ${FEW}`,
      value: later / after,
      bar: 1.2,
      moonshot: 1.05,
      detail: `${later.toFixed(0)} MiB ÷ ${after.toFixed(0)} MiB`,
    });
  }
  return figures;
}
