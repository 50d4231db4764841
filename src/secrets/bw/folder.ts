import { type ChildProcess, spawn } from "node:child_process";
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statfsSync,
} from "node:fs";
import { isAbsolute, join } from "node:path";
import type { Context } from "../../kit/context.ts";

/** Where bw's files are in clear while it runs. */
export interface Place {
  readonly root: string;
  /** False: they are on a disk for as long as that. */
  readonly inMemory: boolean;
}

const PREFIX = "alai-bw-";
const DAY = 86_400_000;
/** What statfs says of tmpfs and ramfs. */
const MEMORY: readonly number[] = [0x01021994, 0x858458f6];

/** The user's own folder in memory, else the system's, else one on the disk. */
export function unsealedPlace({ env, platform, paths }: Context): Place {
  const own = env.XDG_RUNTIME_DIR;
  if (own && isAbsolute(own) && isInMemory(own)) return { root: own, inMemory: true };
  if (platform === "linux" && isInMemory("/dev/shm")) return { root: "/dev/shm", inMemory: true };
  return { root: join(paths.data, "unsealed"), inMemory: false };
}

function isInMemory(folder: string): boolean {
  try {
    return MEMORY.includes(statfsSync(folder).type);
  } catch {
    return false;
  }
}

/**
 * A folder of mode 0700 that is gone when the command is: by `remove`, at a signal, and when this process is killed without
 * one, because a shell beside it waits for that. Where there is no shell, the next call removes it.
 */
export class PrivateFolder {
  readonly path: string;
  readonly #watch: ChildProcess | null;

  constructor(context: Context) {
    const { root, inMemory } = unsealedPlace(context);
    if (!inMemory) mkdirSync(root, { recursive: true, mode: 0o700 });
    this.path = mkdtempSync(join(root, `${PREFIX}${ownerTag(process.pid)}-`));
    this.#watch = context.platform === "win32" ? null : watchOver(this.path);
  }

  /** The bw that runs in it now, which would go on after this process; null when it has ended. */
  inUseBy(pid: number | null): void {
    this.#watch?.stdin?.write(`${pid ?? 0}\n`);
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true, maxRetries: 3 });
    this.#watch?.kill("SIGKILL");
  }
}

/** Its input ends when this process does, however that happens. */
const WATCH =
  'bw=0; while read -r pid; do bw=$pid; done; [ "$bw" -gt 0 ] && kill -9 "$bw" 2>/dev/null; rm -rf -- "$1"; sleep 1; rm -rf -- "$1"';

function watchOver(folder: string): ChildProcess {
  const watch = spawn("/bin/sh", ["-c", WATCH, "alai-watch", folder], {
    stdio: ["pipe", "ignore", "ignore"],
    // A group of its own: Ctrl-C must not end it first.
    detached: true,
    cwd: "/",
    env: { PATH: "/usr/bin:/bin" },
  });
  watch.on("error", () => {});
  watch.stdin?.on("error", () => {});
  watch.unref();
  (watch.stdin as { unref?: () => void } | null)?.unref?.();
  return watch;
}

/** Removes the folders of processes that are gone. */
export function sweepFolders(context: Context): void {
  const { env, platform, paths } = context;
  const roots = [env.XDG_RUNTIME_DIR, platform === "linux" ? "/dev/shm" : undefined, join(paths.data, "unsealed")];
  for (const root of new Set(roots)) if (root && isAbsolute(root)) sweep(root);
}

function sweep(root: string): void {
  for (const name of namesIn(root)) {
    const folder = join(root, name);
    try {
      if (name.startsWith(PREFIX) && isMine(folder) && isOrphan(name, folder))
        rmSync(folder, { recursive: true, force: true });
    } catch {
      // Another process removes it just now.
    }
  }
}

function namesIn(root: string): readonly string[] {
  try {
    return readdirSync(root);
  } catch {
    return [];
  }
}

function isMine(folder: string): boolean {
  const stat = lstatSync(folder);
  return stat.isDirectory() && (process.getuid === undefined || stat.uid === process.getuid());
}

function isOrphan(name: string, folder: string): boolean {
  const [pid = "", started, space] = name.slice(PREFIX.length).split("-")[0]?.split(".") ?? [];
  // Of a container that shares this folder: its processes cannot be seen from here.
  if (space !== pidNamespace()) return Date.now() - lstatSync(folder).mtimeMs > DAY;
  return startOf(Number(pid)) !== started;
}

/** Which process made a folder, so that a later one of the same number is not taken for it. */
function ownerTag(pid: number): string {
  return `${pid}.${startOf(pid)}.${pidNamespace()}`;
}

/** When a process was started, in the system's ticks; "0" where that is not told, "gone" when there is none. */
function startOf(pid: number): string {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EPERM")) return "gone";
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "0";
  } catch {
    return "0";
  }
}

function pidNamespace(): string {
  try {
    return /\d+/.exec(readlinkSync("/proc/self/ns/pid"))?.[0] ?? "0";
  } catch {
    return "0";
  }
}
