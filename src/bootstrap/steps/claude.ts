import { existsSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { makeAside, sweepAside } from "../aside.ts";
import { holdsOnlyGate } from "../gate-settings.ts";
import { git } from "../git.ts";
import { mayTrust, review } from "../hook-trust.ts";
import { pull } from "../pull.ts";
import { checkedRepository, shown, tokenFor } from "../repository.ts";
import { done, left, none, type Setting, type Step, type StepResult } from "../step.ts";

/** `~/.claude` from the company's repository: cloned, or moved forward. Never over anything that somebody changed here. */
export const claudeStep: Step = {
  name: "~/.claude",
  async run(setting) {
    const { context, profile } = setting;
    if (!profile.claude) return none("the profile names no repository");
    const repository = checkedRepository(profile.claude.repository);
    const home = join(context.env.HOME || homedir(), ".claude");
    sweepAside(dirname(home));
    if (!existsSync(home) || holdsOnlyGate(home)) return clone(setting, home, repository, profile.claude.branch);
    if (!existsSync(join(home, ".git")))
      return left(
        `${home} is there and is no clone; nothing was changed`,
        `Move ${home} away and type alai bootstrap again; put back what you want to keep after that.`,
      );
    return pull(setting, home, repository);
  },
};

async function clone(setting: Setting, home: string, repository: string, branch: string | null): Promise<StepResult> {
  const { context } = setting;
  const aside = makeAside(dirname(home));
  try {
    const of = branch === null ? [] : ["--branch", branch];
    const words = ["clone", "--quiet", "--no-recurse-submodules", ...of, "--", repository, aside];
    await git(context, words, { token: await tokenFor(setting, repository) });
    const commit = (await git(context, ["rev-parse", "--verify", "HEAD^{commit}"], { at: aside })).trim();
    const reviewed = await review(context, aside, commit, null);
    if (!(await mayTrust(setting, reviewed, `The files themselves, until you answer: ${aside}`)))
      return left(
        "what it brings is not trusted; nothing was changed",
        "Look at it and type alai bootstrap again, or --trust-hooks.",
      );
    return done(`cloned from ${shown(repository)}${putInPlace(aside, home)}`);
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
}

/** What alai itself made there before is moved away, not deleted. @returns where it is, for the finding. */
function putInPlace(aside: string, home: string): string {
  if (!existsSync(home)) {
    renameSync(aside, home);
    return "";
  }
  const kept = `${home}.before-${new Date().toISOString().replaceAll(/[-:]|\.\d+/g, "")}-${process.pid}`;
  renameSync(home, kept);
  try {
    renameSync(aside, home);
  } catch (error) {
    renameSync(kept, home);
    throw error;
  }
  return `; the settings that were there are in ${kept}`;
}
