import { spawn } from "node:child_process";
import { join } from "node:path";
import type { Plan, Seen, Template } from "./plan.ts";

/** Starts the load process and what else runs beside the server, and reads the one JSON line it prints. */

export function run<T>(script: string, ...args: readonly string[]): Promise<T> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(import.meta.dirname, script), ...args], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let out = "";
    let err = "";
    child.stdout.on("data", (text) => {
      out += text;
    });
    child.stderr.on("data", (text) => {
      err = (err + text).slice(-4000);
    });
    child.on("error", reject);
    child.on("close", (code) =>
      code === 0 ? resolve(JSON.parse(out) as T) : reject(new Error(`${script} ended with ${code}: ${err}`)),
    );
  });
}

export function load(plan: Plan): Promise<Seen> {
  return run<Seen>("load.ts", JSON.stringify(plan));
}

/** A claim by id: every request another task, every connection a session of its own. */
export const CLAIM: Template = { method: "PUT", path: "/tasks/{n}/lease", body: '{"ttl":600000}' };
export const CLAIM_NEXT: Template = { method: "POST", path: "/tasks/next/lease", body: '{"ttl":600000}' };
export const LIST: Template = { method: "GET", path: "/tasks?limit=100" };

async function json<T>(url: string, init?: RequestInit): Promise<T> {
  const answer = await fetch(url, { ...init, headers: { "content-type": "application/json", "alai-actor": "bench" } });
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as T;
}

const CHUNK = 20_000;

/** Open tasks 1 to `total`, through the API: whatever the store looks like inside. */
export async function fill(url: string, total: number): Promise<void> {
  for (let made = 0; made < total; made += CHUNK) {
    const lines = Array.from({ length: Math.min(CHUNK, total - made) }, (_, n) => taskLine(made + n));
    await json(`${url}/import`, { method: "POST", body: JSON.stringify({ lines }) });
  }
}

function taskLine(n: number): Record<string, unknown> {
  return {
    title: `Task number ${n} with something useful to do`,
    project: `p${n % 17}`,
    priority: (n % 3) + 1,
  };
}

/** The journal's newest number. */
export async function newestEvent(url: string): Promise<number> {
  const { events } = await json<{ events: { seq: number }[] }>(`${url}/events?last=1`);
  return events.at(-1)?.seq ?? 0;
}

/** Fails unless the ledger itself says that so many tasks are held: each claim of the run was another task's. */
export async function requireHeld(url: string, held: number): Promise<void> {
  const stats = await json<{ held: number }>(`${url}/stats`);
  if (stats.held !== held) throw new Error(`${stats.held} tasks are held after ${held} claims`);
}
