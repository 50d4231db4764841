import { fstatSync, writeSync } from "node:fs";
import type * as Tty from "node:tty";
import type { Env } from "./env.ts";

export interface StdinOptions {
  /** What comes after the first line is not waited for. */
  readonly line?: boolean;
  /** Gives up. */
  readonly signal?: AbortSignal;
}

/** Where a command's words go. Data to stdout, everything else to stderr. */
export interface Io {
  readonly stdinIsTty: boolean;
  readonly stdoutIsTty: boolean;
  readonly stderrIsTty: boolean;
  /** Characters to a line of the terminal. */
  readonly columns: number;
  out(text: string): void;
  err(text: string): void;
  /** All of standard input, as UTF-8; up to its first line end, or the signal, where that is wanted. */
  readStdin(options?: StdinOptions): Promise<string>;
  /** stderr as a stream, for libraries that draw on it. */
  stderrStream(): NodeJS.WriteStream;
}

/** The reader of our output went away (`| head -1`): nothing is wrong, nobody is left to tell. */
export class ClosedPipe extends Error {}

/**
 * The real streams. Writes are synchronous: output is whole and in order however the process ends, and Node's stream
 * machinery (about 2 ms) is not loaded for one line.
 */
export function processIo(env: Env): Io {
  return {
    get stdinIsTty() {
      return isTerminal(0);
    },
    get stdoutIsTty() {
      return isTerminal(1);
    },
    get stderrIsTty() {
      return isTerminal(2);
    },
    get columns() {
      return terminalWidth(env);
    },
    out: (text) => writeAll(1, text),
    err: (text) => {
      try {
        writeAll(2, text);
      } catch {
        // Nobody can be told; the exit code still can, and must not become another one.
      }
    },
    readStdin,
    stderrStream: () => process.stderr,
  };
}

/** `node:tty` takes up to 7 ms to load, so it is asked only about what can be a terminal: no pipe, no file. */
function isTerminal(fd: number): boolean {
  try {
    const stat = fstatSync(fd);
    if (!stat.isCharacterDevice() || isMemoryDevice(stat.rdev)) return false;
  } catch {
    return false;
  }
  const tty: typeof Tty = process.getBuiltinModule("node:tty");
  return tty.isatty(fd);
}

/** /dev/null and its like on Linux: major number 1. */
function isMemoryDevice(rdev: number): boolean {
  return process.platform === "linux" && rdev >> 8 === 1;
}

function terminalWidth(env: Env): number {
  const given = Number(env.COLUMNS);
  if (Number.isInteger(given) && given > 0) return given;
  return (
    (isTerminal(1) ? process.stdout.columns : undefined) ?? (isTerminal(2) ? process.stderr.columns : undefined) ?? 80
  );
}

/** Writes everything, also to a pipe that another process made non-blocking. */
function writeAll(fd: number, text: string): void {
  const bytes = Buffer.from(text, "utf8");
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      if (code === "EPIPE") throw new ClosedPipe();
      if (code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
    }
  }
}

async function readStdin({ line = false, signal }: StdinOptions = {}): Promise<string> {
  const { stdin } = process;
  const chunks: Buffer[] = [];
  // An open pipe would keep the process here.
  const stop = () => void stdin.destroy();
  signal?.addEventListener("abort", stop);
  try {
    for await (const chunk of stdin) {
      chunks.push(Buffer.from(chunk));
      if (line && chunks.at(-1)?.includes(10)) break;
    }
  } catch (error) {
    if (!signal?.aborted) throw error;
  } finally {
    signal?.removeEventListener("abort", stop);
  }
  return Buffer.concat(chunks).toString("utf8");
}
