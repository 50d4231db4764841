import { execFile } from "node:child_process";
import type { Millis } from "@alai/core";
import type { Env } from "../../kit/env.ts";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";

/** What a run of Litestream gave. */
export interface LitestreamRun {
  /** Its exit code; null when a signal or the deadline ended it. Exit 0 is no proof that anything was sent. */
  readonly exit: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** Its whole environment. */
  readonly env: Env;
  readonly cwd?: string;
  /** Default: 60 s. It is killed then. */
  readonly timeout?: Millis;
  /** Kills it. The run is then rejected as one that could not be started. */
  readonly signal?: AbortSignal;
}

/** Room for the list of every LTX file of a large replica. */
const MOST_OUTPUT = 256 * 1024 * 1024;

/** Runs Litestream to its end with captured output. Throws Exit 69 when it cannot be started. */
export function runLitestream(
  path: string,
  words: readonly string[],
  { env, cwd, timeout = 60_000, signal }: RunOptions,
): Promise<LitestreamRun> {
  const options = {
    env: { ...env },
    timeout,
    killSignal: "SIGKILL",
    maxBuffer: MOST_OUTPUT,
    windowsHide: true,
    ...(cwd !== undefined && { cwd }),
    ...(signal && { signal }),
  } as const;
  return new Promise((resolve, reject) => {
    execFile(path, [...words], options, (error, stdout, stderr) => {
      if (error && typeof error.code === "string") return reject(notStarted(path, error.code));
      resolve({ exit: error ? (typeof error.code === "number" ? error.code : null) : 0, stdout, stderr });
    });
  });
}

function notStarted(path: string, code: string): Exit {
  return new Exit(
    EXIT.unavailable,
    "no_litestream",
    `Litestream (${path}) cannot be run: ${code}.`,
    "Check the file and its permissions, or name another one in ALAI_LITESTREAM.",
  );
}
