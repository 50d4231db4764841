import { existsSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { gateCommand } from "../../hook/command-line.ts";
import { readClaudeSettings, withGate } from "../../hook/settings-file.ts";
import type { Context } from "../../kit/context.ts";
import { git } from "../git.ts";
import { hooksIn, mayTrust } from "../hook-trust.ts";
import { done, left, none, ok, type Setting, type Step, type StepResult } from "../step.ts";

/** `~/.claude` from the company's repository: cloned, or moved forward. Never over anything that somebody changed here. */
export const claudeStep: Step = {
  name: "~/.claude",
  async run(setting) {
    const { context, profile } = setting;
    if (!profile.claude) return none("the profile names no repository");
    const home = join(context.env.HOME || homedir(), ".claude");
    if (!existsSync(home)) return clone(setting, home, profile.claude);
    if (!existsSync(join(home, ".git")))
      return left(
        `${home} is there and is no clone; nothing was changed`,
        `Move ${home} away and type alai bootstrap again; put back what you want to keep after that.`,
      );
    return pull(setting, home, profile.claude.repository);
  },
};

async function clone(
  setting: Setting,
  home: string,
  { repository, branch }: { readonly repository: string; readonly branch: string | null },
): Promise<StepResult> {
  const { context } = setting;
  // Aside: what it brings is looked at before it is where Claude Code would run it.
  const aside = mkdtempSync(join(dirname(home), ".claude-new-"));
  try {
    const words = ["clone", "--quiet", ...(branch === null ? [] : ["--branch", branch]), "--", repository, aside];
    await git(context, words, await tokenFor(setting, repository));
    if (!(await mayTrust(setting, await hooksIn(context, aside, "HEAD"))))
      return left(
        "its hooks are not trusted; nothing was changed",
        "Look at them and type alai bootstrap again, or --trust-hooks.",
      );
    renameSync(aside, home);
    return done(`cloned from ${shown(repository)}`);
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
}

async function pull(setting: Setting, home: string, repository: string): Promise<StepResult> {
  const { context } = setting;
  const at = ["-C", home];
  const origin = (await git(context, [...at, "remote", "get-url", "origin"]).catch(() => "")).trim();
  if (origin !== repository)
    return left(
      `it is a clone of ${shown(origin) || "nothing"}, not of ${shown(repository)}; nothing was changed`,
      `Move ${home} away and type alai bootstrap again.`,
    );
  await git(context, [...at, "fetch", "--quiet", "origin"], await tokenFor(setting, repository));
  const counts = await git(context, [...at, "rev-list", "--left-right", "--count", "HEAD...@{upstream}"]);
  const [ahead = 0, behind = 0] = counts.trim().split(/\s+/).map(Number);
  if (behind === 0) return ok(`up to date${ahead > 0 ? `, ${ahead} commits of your own` : ""}`);
  const changes = await changesIn(context, home);
  if (changes === "own")
    return left(
      `${behind} commits are waiting; you have changes of your own, so nothing was pulled`,
      `Commit or undo them: git -C ${home} status`,
    );
  if (ahead > 0)
    return left(
      `you have ${ahead} commits of your own, and ${behind} are waiting`,
      `Bring them together: git -C ${home} pull --rebase`,
    );
  if (!(await mayTrust(setting, await hooksIn(context, home, "@{upstream}"))))
    return left(
      "the hooks that are waiting are not trusted; nothing was pulled",
      "Look at them and type alai bootstrap again, or --trust-hooks.",
    );
  // The next step puts the gate back.
  if (changes === "gate") await git(context, [...at, "checkout", "--quiet", "--", "settings.json"]);
  await git(context, [...at, "merge", "--quiet", "--ff-only", "@{upstream}"]);
  return done(`${behind} commits pulled`);
}

/** What is changed here against the commit: nothing, what alai itself put into the settings, or something of a person's. */
async function changesIn(context: Context, home: string): Promise<"none" | "gate" | "own"> {
  const status = (await git(context, ["-C", home, "status", "--porcelain", "--untracked-files=no"])).trimEnd();
  if (status === "") return "none";
  if (status !== " M settings.json") return "own";
  try {
    const committed = JSON.parse(await git(context, ["-C", home, "show", "HEAD:settings.json"]));
    const now = readClaudeSettings(join(home, "settings.json"));
    return JSON.stringify(withGate(committed, gateCommand(context))) === JSON.stringify(now) ? "gate" : "own";
  } catch {
    return "own";
  }
}

/** A private repository at GitHub is read with the token of the vault. */
async function tokenFor(setting: Setting, repository: string): Promise<string | null> {
  if (!repository.startsWith("https://github.com/")) return null;
  const item = setting.profile.secrets?.expected.find(({ what }) => /github/i.test(what));
  if (!item) return null;
  const { secretValue } = await import("../values.ts");
  return secretValue(setting, item.reference).catch(() => null);
}

/** Without what may stand before the host. */
function shown(repository: string): string {
  return repository.replace(/^(https:\/\/)[^@/]*@/, "$1");
}
