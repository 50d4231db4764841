import { existsSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Context } from "../kit/context.ts";
import { isOnlyGate } from "./gate-settings.ts";
import { git } from "./git.ts";
import { mayTrust, review } from "./hook-trust.ts";
import { shown, tokenFor } from "./repository.ts";
import { done, left, ok, type Setting, type StepResult } from "./step.ts";

const SETTINGS = "settings.json";

/** Moves a clone forward, when nothing of a person's is in the way. */
export async function pull(setting: Setting, home: string, repository: string): Promise<StepResult> {
  const { context } = setting;
  const at = { at: home };
  const origin = (await git(context, ["config", "--get", "remote.origin.url"], at).catch(() => "")).trim();
  if (origin !== repository)
    return left(
      `it is a clone of ${shown(origin) || "nothing"}, not of ${shown(repository)}; nothing was changed`,
      `Move ${home} away and type alai bootstrap again.`,
    );
  await git(context, ["fetch", "--quiet", "--no-recurse-submodules", "origin"], {
    ...at,
    token: await tokenFor(setting, repository),
  });
  // By its hash: another fetch meanwhile must not swap what was looked at.
  const commit = (await git(context, ["rev-parse", "--verify", "@{upstream}^{commit}"], at)).trim();
  const counts = await git(context, ["rev-list", "--left-right", "--count", `HEAD...${commit}`], at);
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
  // As text: a .gitattributes that is in use could call a text binary, and git would not show its lines.
  const look = `git -C ${home} diff --text HEAD ${commit.slice(0, 12)}`;
  const reviewed = await review(context, home, commit, "HEAD");
  if (!(await mayTrust(setting, reviewed, `The lines themselves: ${look}`)))
    return left(
      "what is waiting is not trusted; nothing was pulled",
      `Look at it (${look}), and type alai bootstrap again, or --trust-hooks.`,
    );
  await merge(context, home, commit, changes);
  return done(`${behind} commit${behind === 1 ? "" : "s"} pulled`);
}

type Changes = "none" | "gate" | "untracked gate" | "own";

/** The gate goes out of the way; the next step puts it back. */
async function merge(context: Context, home: string, commit: string, changes: Changes): Promise<void> {
  const at = { at: home };
  const file = join(home, SETTINGS);
  const kept = `${file}.${process.pid}.before`;
  if (changes === "gate") await git(context, ["checkout", "--quiet", "--", SETTINGS], at);
  if (changes === "untracked gate") renameSync(file, kept);
  try {
    await git(context, ["merge", "--quiet", "--ff-only", commit], at);
  } finally {
    if (existsSync(kept) && !existsSync(file)) renameSync(kept, file);
    rmSync(kept, { force: true });
  }
}

/** What is changed here against the commit: nothing, what alai itself put into the settings, or something of a person's. */
async function changesIn(context: Context, home: string): Promise<Changes> {
  const at = { at: home };
  const file = join(home, SETTINGS);
  const status = (await git(context, ["status", "--porcelain", "--untracked-files=no"], at)).trimEnd();
  if (status === "") {
    const isTracked = (await git(context, ["ls-files", "--", SETTINGS], at)).trim() !== "";
    return !isTracked && existsSync(file) && isOnlyGate(file) ? "untracked gate" : "none";
  }
  if (status !== ` M ${SETTINGS}`) return "own";
  try {
    const committed = JSON.parse(await git(context, ["show", `HEAD:${SETTINGS}`], at));
    return isOnlyGate(file, committed) ? "gate" : "own";
  } catch {
    return "own";
  }
}
