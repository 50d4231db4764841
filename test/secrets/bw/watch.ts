import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { sleep } from "../../scripts/harness.ts";

/** Looks at everything under a folder, and at the words of every process that is new, again and again while something runs. */
export async function whileWatching<T>(
  { home, needles }: { home: string; needles: readonly string[] },
  body: () => Promise<T>,
): Promise<{ result: T; found: string[]; looks: number }> {
  const found = new Set<string>();
  let [looks, over] = [0, false];
  const before = new Set(pids());
  const watch = (async () => {
    for (; !over; looks++) {
      const started = pids().filter((pid) => !before.has(pid));
      const words = started.map((pid) => `/proc/${pid}/cmdline`);
      for (const file of [...filesIn(home), ...words])
        for (const what of leaksIn(read(file), needles)) found.add(`${file}: ${what}`);
      await sleep(3);
    }
  })();
  try {
    return { result: await body(), found: [...found], looks };
  } finally {
    over = true;
    await watch;
  }
}

/** Signed tokens, and refresh tokens as the double makes them. */
const TOKENS = [/eyJ[\w-]{20,}\.[\w-]{20,}\.[\w-]{20,}/, /\b[0-9A-F]{64}\b/];

export function leaksIn(text: string, needles: readonly string[]): string[] {
  return [
    ...needles.filter((needle) => text.includes(needle)),
    ...TOKENS.flatMap((token) => token.exec(text)?.[0] ?? []),
  ];
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
  } catch {
    return [];
  }
}

export function read(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return "";
  }
}

function pids(): string[] {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name));
}

/** Processes that were started with this text among their words. */
export function processesSaying(text: string): number[] {
  return pids()
    .filter((pid) => read(`/proc/${pid}/cmdline`).includes(text))
    .map(Number);
}

/** True when a process has a TCP socket that others can connect to. */
export function listens(pid: number): boolean {
  const listening = ["tcp", "tcp6"].flatMap((kind) =>
    read(`/proc/${pid}/net/${kind}`)
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .filter((words) => words[3] === "0A")
      .map((words) => `socket:[${words[9]}]`),
  );
  return socketsOf(pid).some((socket) => listening.includes(socket));
}

function socketsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${fd}`);
      } catch {
        return "";
      }
    });
  } catch {
    return [];
  }
}

/** The folders in memory that a process has bw's files in. */
export function unsealedBy(pid: number): string[] {
  return readdirSync("/dev/shm")
    .filter((name) => name.startsWith(`alai-bw-${pid}.`))
    .map((name) => join("/dev/shm", name));
}
