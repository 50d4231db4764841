import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Figure } from "../report.ts";
import type { Bench } from "./bench.ts";
import { CLAIM, load, newestEvent } from "./drive.ts";
import { NPM, type Served } from "./served.ts";
import type { Heard } from "./subscribers.ts";

const CLIENTS = 100;
const CHANGES_A_SECOND = 100;

/** From the commit to every reader of the event stream, at a steady pace of changes. */
export async function feed(bench: Bench): Promise<Figure[]> {
  const changes = CHANGES_A_SECOND * (bench.quick ? 5 : 20);
  const figures: Figure[] = [];
  for (const [kind, store] of [
    ["postgres", "Postgres"],
    ["sqlite", "SQLite"],
  ] as const) {
    bench.progress(`${store}: commit to ${CLIENTS} readers of the event stream`);
    const served = await bench.serve(NPM, kind, 8378);
    const { p50, p95, deliveries } = await listen(served, changes);
    await bench.stop(served);
    figures.push({
      what: `commit to SSE client, ${store}, ${CHANGES_A_SECOND} changes/s, ${CLIENTS} clients: p95`,
      value: p95,
      unit: " ms",
      bar: 20,
      moonshot: 8,
      detail: `p50 ${p50.toFixed(1)} ms, ${deliveries} deliveries, none lost or doubled`,
    });
  }
  return figures;
}

const WARM = 200;

async function listen(served: Served, changes: number): Promise<Heard> {
  const plan = { port: served.port, clients: 8, requests: [CLAIM], expect: [200] };
  await load({ ...plan, first: 1, count: WARM });
  const script = join(import.meta.dirname, "subscribers.ts");
  const after = await newestEvent(served.url);
  const child = spawn(process.execPath, [script, `${served.port}`, `${CLIENTS}`, `${changes}`, `${after}`], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let out = "";
  let err = "";
  child.stdout.on("data", (text) => {
    out += text;
  });
  const ready = new Promise<void>((resolve) =>
    child.stderr.on("data", (text) => {
      err += text;
      if (err.includes("ready\n")) resolve();
    }),
  );
  const closed = once(child, "close");
  await Promise.race([ready, closed]);
  await load({ ...plan, first: 1 + WARM, count: changes, rate: CHANGES_A_SECOND });
  const [code] = await closed;
  if (code !== 0) throw new Error(`the readers of the stream ended with ${code}: ${err}`);
  return JSON.parse(out) as Heard;
}
