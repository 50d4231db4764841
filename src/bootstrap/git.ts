import { spawn } from "node:child_process";
import type { Context } from "../kit/context.ts";
import { Exit } from "../kit/errors.ts";
import { EXIT } from "../kit/exit.ts";
import { oneLine, truncate } from "../kit/text.ts";

const LIMIT = 300_000;

/**
 * Runs git, which asks nobody. Throws Exit 69 in its words. @param token for an https repository: it goes by the environment, never by an argument.
 */
export function git(context: Context, words: readonly string[], token: string | null = null): Promise<string> {
  const { env } = context;
  return new Promise((resolve, reject) => {
    const child = spawn("git", [...words], {
      env: { ...env, ...quiet(), ...(token !== null && header(token)) },
      stdio: ["ignore", "pipe", "pipe"],
      windowsHide: true,
      timeout: LIMIT,
    });
    let out = "";
    let err = "";
    child.stdout.setEncoding("utf8").on("data", (text) => (out += text));
    child.stderr.setEncoding("utf8").on("data", (text) => (err = (err + text).slice(-4000)));
    child.on("error", () =>
      reject(
        new Exit(EXIT.unavailable, "no_git", "git is not installed.", "Install git, and type alai bootstrap again."),
      ),
    );
    child.on("close", (code) => {
      if (code === 0) resolve(out);
      else
        reject(
          new Exit(
            EXIT.unavailable,
            "git_failed",
            `git ${words[0]} failed: ${lastWords(err)}.`,
            "Check the address and that you may read it.",
          ),
        );
    });
  });
}

function quiet(): Record<string, string> {
  return { GIT_TERMINAL_PROMPT: "0", GCM_INTERACTIVE: "never", GIT_SSH_COMMAND: "ssh -o BatchMode=yes", LC_ALL: "C" };
}

function header(token: string): Record<string, string> {
  const value = `Authorization: Basic ${Buffer.from(`x-access-token:${token}`).toString("base64")}`;
  return { GIT_CONFIG_COUNT: "1", GIT_CONFIG_KEY_0: "http.https://github.com/.extraHeader", GIT_CONFIG_VALUE_0: value };
}

function lastWords(text: string): string {
  const line =
    text
      .trim()
      .split("\n")
      .findLast((one) => /fatal|error|denied/i.test(one)) ??
    text.trim().split("\n").at(-1) ??
    "";
  return truncate(oneLine(line.replace(/^fatal: /, "")).replace(/\.$/, ""), 160);
}
