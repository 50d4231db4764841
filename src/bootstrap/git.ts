import { spawn } from "node:child_process";
import { homedir } from "node:os";
import type { Context } from "../kit/context.ts";
import { Exit } from "../kit/errors.ts";
import { EXIT } from "../kit/exit.ts";
import { oneLine, truncate } from "../kit/text.ts";
import { gitEnv } from "./git-env.ts";

const LIMIT = 300_000;
/** No hook runs, no address starts a program, and nothing else is fetched, whatever git's settings say. */
const SAFE = ["core.hooksPath=/dev/null", "protocol.ext.allow=never", "submodule.recurse=false"].flatMap((setting) => [
  "-c",
  setting,
]);
const REMOTE: readonly string[] = ["clone", "fetch"];

interface Where {
  /** The clone that is meant. */
  readonly at?: string;
  /** For an https repository: it goes by the environment, never by an argument. */
  readonly token?: string | null;
}

/** Runs git, which asks nobody. @param words the verb first. Throws Exit 69 in its words. */
export async function git(context: Context, words: readonly string[], where: Where = {}): Promise<string> {
  const env = gitEnv(context, where.token ?? null);
  const isRemote = REMOTE.includes(words[0] ?? "");
  return run(words, where, isRemote ? { ...env, ...(await sshAsksNobody(env, where)) } : env);
}

/** Ssh as a person has set it stays theirs. */
async function sshAsksNobody(env: Record<string, string>, where: Where): Promise<Record<string, string>> {
  if (env.GIT_SSH_COMMAND || env.GIT_SSH) return {};
  const own = await run(["config", "--get", "core.sshCommand"], where, env).catch(() => "");
  return own.trim() === "" ? { GIT_SSH_COMMAND: "ssh -o BatchMode=yes" } : {};
}

function run(words: readonly string[], { at }: Where, env: Record<string, string>): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn("git", [...SAFE, ...(at === undefined ? [] : ["-C", at]), ...words], {
      env,
      // Not the working folder: Windows would look for git there first.
      cwd: homedir(),
      stdio: ["ignore", "pipe", "pipe"],
      windowsHide: true,
      timeout: LIMIT,
    });
    let out = "";
    let err = "";
    child.stdout.setEncoding("utf8").on("data", (text) => (out += text));
    child.stderr.setEncoding("utf8").on("data", (text) => (err = (err + text).slice(-4000)));
    child.on("error", () => reject(noGit()));
    child.on("close", (code) => (code === 0 ? resolve(out) : reject(failed(words[0] ?? "", err))));
  });
}

function noGit(): Exit {
  return new Exit(EXIT.unavailable, "no_git", "git is not installed.", "Install git, and type alai bootstrap again.");
}

function failed(verb: string, said: string): Exit {
  const hint = REMOTE.includes(verb) ? "Check the address and that you may read it." : undefined;
  return new Exit(EXIT.unavailable, "git_failed", `git ${verb} failed: ${lastWords(said)}.`, hint);
}

function lastWords(text: string): string {
  const lines = text.trim().split("\n");
  const line = lines.findLast((one) => /fatal|error|denied/i.test(one)) ?? lines.at(-1) ?? "";
  return truncate(oneLine(line.replace(/^(fatal|error): /, "")).replace(/[.:]$/, ""), 160);
}
