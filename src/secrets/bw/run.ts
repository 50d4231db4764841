import { type ChildProcess, spawn } from "node:child_process";
import type { Context } from "../../kit/context.ts";
import { Exit } from "../../kit/errors.ts";
import { EXIT } from "../../kit/exit.ts";
import { oneLine, truncate } from "../../kit/text.ts";
import { bwEnv } from "./child-env.ts";
import type { BwProgram } from "./program.ts";

/** One call of bw. */
export interface BwCall {
  readonly args: readonly string[];
  /** Passwords and keys, by the environment: never in `args`. */
  readonly secrets?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** Milliseconds; it talks to its server and derives keys. */
  readonly limit?: number;
  /** How long the person waits for all calls, of which `limit` is what is left. */
  readonly patience?: number;
  /** Whom it will ask: NO_PROXY may be about it. */
  readonly server?: string;
  /** Told which process it is, and null when that has ended. */
  readonly running?: (child: ChildProcess | null) => void;
}

const LIMIT = 120_000;

/** A refusal of bw itself, in its own words. */
export class BwRefusal extends Error {
  /** All that it said: when it crashes, the last line says nothing. Not for people. */
  readonly said: string;

  constructor(said: string) {
    super(worded(said));
    this.said = said;
  }
}

/** Runs bw on a folder and gives what it prints. Throws BwRefusal in its words, or Exit 69 when it does not end. */
export function runBw(context: Context, { path }: BwProgram, folder: string, call: BwCall): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(path, [...call.args], {
      env: bwEnv(context.env, folder, call.secrets, call.server),
      cwd: folder,
      stdio: ["pipe", "pipe", "pipe"],
      windowsHide: true,
    });
    call.running?.(child);
    let out = "";
    let err = "";
    const limit = call.limit ?? LIMIT;
    const late = setTimeout(() => {
      child.kill("SIGKILL");
      // Not when it closes: where bw is a script, what that has started may hold on to the output.
      reject(silent(call, limit));
      child.stdout.destroy();
      child.stderr.destroy();
    }, limit);
    child.stdout.setEncoding("utf8").on("data", (text) => (out += text));
    child.stderr.setEncoding("utf8").on("data", (text) => (err = (err + text).slice(-4000)));
    child.stdin.on("error", () => {});
    child.stdin.end(call.input ?? "");
    child.on("error", (error) =>
      reject(new Exit(EXIT.unavailable, "no_bw", `bw cannot be started: ${error.message}.`)),
    );
    child.on("close", (code, signal) => {
      clearTimeout(late);
      call.running?.(null);
      if (code === 0) resolve(out);
      else if (signal)
        reject(
          new Exit(EXIT.unavailable, "bw_silent", `Bitwarden's program was ended by ${signal}.`, "Type it again."),
        );
      else reject(new BwRefusal(err || out));
    });
  });
}

function silent({ server, patience }: BwCall, limit: number): Exit {
  const seconds = Math.ceil((patience ?? limit) / 1000);
  return new Exit(
    EXIT.unavailable,
    "bw_silent",
    `${server ?? "Bitwarden's program"} did not answer within ${seconds} s.`,
    patience === undefined
      ? "Try again; check the network."
      : `Check the network and the server's address, or wait longer: --timeout ${Math.max(120, seconds * 2)}s.`,
  );
}

/** Its last line: warnings of Node may come before. */
function worded(text: string): string {
  const lines = oneLine(
    text
      .trim()
      .split("\n")
      .filter((line) => line.trim() !== "")
      .at(-1) ?? "",
  );
  return truncate(lines, 200);
}
