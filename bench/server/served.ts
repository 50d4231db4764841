import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The built server as a process of its own, with the settings it has by itself, on a free port of loopback. */

const root = join(import.meta.dirname, "..", "..");
export const NPM = [process.execPath, join(root, "dist", "npm", "alai.js")] as const;
export const BINARY = [join(root, "dist", "alai")] as const;

/** A file, or a Postgres URL. */
export type StoreAt = { readonly file: string } | { readonly database: string };

export interface Served {
  readonly port: number;
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

const ADDRESS = /http:\/\/127\.0\.0\.1:(\d+)/;
const LONGEST_START_MS = 30_000;

/** Nothing of the machine's own settings reaches it. */
export function cleanEnv(home: string): NodeJS.ProcessEnv {
  const { PATH } = process.env;
  return { PATH, HOME: home, ALAI_ACTOR: "bench", ALAI_SESSION: "bench", NODE_ENV: "production" };
}

export function serveArgs(store: StoreAt): string[] {
  const where = "file" in store ? ["--db", store.file] : ["--database-url", store.database];
  return ["serve", "--port", "0", ...where];
}

const LONGEST_STOP_MS = 15_000;

/** SIGTERM, and waits for the end. Throws when it does not come. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  const late = setTimeout(() => child.kill("SIGKILL"), LONGEST_STOP_MS);
  child.kill("SIGTERM");
  await gone;
  clearTimeout(late);
  if (child.signalCode === "SIGKILL") throw new Error(`the server did not stop within ${LONGEST_STOP_MS / 1000} s`);
}

/** Starts it and waits until it says where it listens. Log lines go nowhere, as on a machine without a reader. */
export async function startServer(program: readonly string[], store: StoreAt, home: string): Promise<Served> {
  const [command = "", ...args] = program;
  const child = spawn(command, [...args, ...serveArgs(store)], {
    env: cleanEnv(home),
    stdio: ["ignore", "ignore", "pipe"],
  });
  const port = await portOf(child);
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    pid: child.pid ?? 0,
    stop: () => end(child),
  };
}

/** The port that the server prints on standard error. */
function portOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let said = "";
    const late = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`the server said nothing for ${LONGEST_START_MS / 1000} s: ${said}`));
    }, LONGEST_START_MS);
    child.stderr?.on("data", (text) => {
      said = (said + text).slice(-4000);
      const found = ADDRESS.exec(said);
      if (!found) return;
      clearTimeout(late);
      resolve(Number(found[1]));
    });
    child.once("error", reject);
    child.once("exit", (code) => {
      clearTimeout(late);
      reject(new Error(`the server ended with ${code}: ${said}`));
    });
  });
}

/** Resident memory of a process in MiB; Linux only. */
export function residentMiB(pid: number): number {
  const found = /VmRSS:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  if (!found) throw new Error(`no memory figures of process ${pid}`);
  return Number(found[1]) / 1024;
}
