import { writeSync } from "node:fs";
import { isatty } from "node:tty";
import type { Env } from "./env.ts";

/** Where a command's words go. Data to stdout, everything else to stderr. */
export interface Io {
  readonly stdinIsTty: boolean;
  readonly stdoutIsTty: boolean;
  readonly stderrIsTty: boolean;
  /** Characters to a line of the terminal. */
  readonly columns: number;
  out(text: string): void;
  err(text: string): void;
  /** All of standard input, as UTF-8. */
  readStdin(): Promise<string>;
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
    stdinIsTty: isatty(0),
    stdoutIsTty: isatty(1),
    stderrIsTty: isatty(2),
    get columns() {
      return terminalWidth(env);
    },
    out: (text) => writeAll(1, text),
    err: (text) => {
      try {
        writeAll(2, text);
      } catch (error) {
        if (!(error instanceof ClosedPipe)) throw error;
      }
    },
    readStdin,
    stderrStream: () => process.stderr,
  };
}

function terminalWidth(env: Env): number {
  const given = Number(env.COLUMNS);
  if (Number.isInteger(given) && given > 0) return given;
  return (isatty(1) ? process.stdout.columns : undefined) ?? (isatty(2) ? process.stderr.columns : undefined) ?? 80;
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

async function readStdin(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString("utf8");
}
