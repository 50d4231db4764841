import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A process of this machine. */
export interface Running {
  readonly pid: number;
  /** When it began, in the system's own words: only compared. */
  readonly born: string;
  /** Its command line; on Linux word by word, elsewhere as one text. */
  readonly command: string;
}

/** Between the words of a command line where the system tells them apart. */
const BETWEEN = " ";

/** Columns of `ps` that have no heads; `-ww`: a command line is whole, however long. */
const COLUMNS = ["-ww", "-o", "pid=,lstart=,command="];

/**
 * Every process whose command line holds `word`. Own ones only where others may not be seen. Throws when they cannot be listed.
 * @param ps the program that lists them, where there is no /proc.
 */
export async function findProcesses(platform: string, word: string, ps = "ps"): Promise<readonly Running[]> {
  const all = platform === "linux" ? onLinux() : await byPs(ps, ["-ax", ...COLUMNS]);
  return all.filter(({ command, pid }) => pid !== process.pid && command.includes(word));
}

/**
 * What a process is now; null when there is none of this number, or it has ended and only its entry is left. Throws when that
 * cannot be told: who takes a process for gone that is not would start a second one.
 * @param ps the program that tells it, where there is no /proc.
 */
export async function lookAtProcess(platform: string, pid: number, ps = "ps"): Promise<Running | null> {
  if (platform === "linux") return linuxProcess(pid);
  try {
    return (await byPs(ps, [...COLUMNS, "-p", String(pid)]))[0] ?? null;
  } catch (error) {
    // POSIX: `ps -p` ends with 1 when there is no such process, and says nothing.
    if (isExit(error, 1) && error.stderr === "") return null;
    throw error;
  }
}

function onLinux(): Running[] {
  return readdirSync("/proc").flatMap((name) => {
    const found = /^\d+$/.test(name) ? linuxProcess(Number(name)) : null;
    return found ? [found] : [];
  });
}

/** What reading of an entry in /proc ends with when the process is gone, or hidden because it is another user's. */
const GONE: ReadonlySet<string> = new Set(["ENOENT", "ESRCH", "EACCES", "EPERM"]);

/** Fields of /proc/PID/stat after the name in brackets, which may hold anything: state is the first, start time the twentieth. */
function linuxProcess(pid: number): Running | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (fields[0] === "Z" || fields[0] === "X") return null;
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", BETWEEN).trim();
    return { pid, born: fields[19] ?? "", command };
  } catch (error) {
    if (error instanceof Error && "code" in error && GONE.has(String(error.code))) return null;
    throw error;
  }
}

async function byPs(ps: string, words: readonly string[]): Promise<Running[]> {
  const { stdout } = await run(ps, words, { env: { PATH: "/bin:/usr/bin", LC_ALL: "C" }, maxBuffer: 2 ** 24 });
  return stdout.split("\n").flatMap(psLine);
}

function isExit(error: unknown, code: number): error is Error & { readonly stderr: string } {
  return error instanceof Error && "code" in error && error.code === code && "stderr" in error;
}

/** `  812 Sat Nov 21 09:12:01 2026 litestream replicate -config …` */
function psLine(line: string): Running[] {
  const match = /^\s*(\d+)\s+(\S+\s+\S+\s+\d+\s+[\d:]+\s+\d+)\s+(.*)$/.exec(line);
  return match ? [{ pid: Number(match[1]), born: match[2] ?? "", command: match[3] ?? "" }] : [];
}
