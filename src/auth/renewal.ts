import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import type { Context } from "../kit/context.ts";
import { readProfile } from "./profiles.ts";
import { Session } from "./session.ts";

/** A renewal in a process of its own, for those that may end before the issuer answers. */

export const RENEWAL_WORD = "__renew";
/** Whoever has the lock for longer renews already. */
const LOCK_LIMIT = 100;

/** Starts it and does not wait: neither the end of this process nor a signal to its group ends that one. */
export function startRenewal({ self, env, cwd }: Context, profile: string, accessToken: string): void {
  const [program = "", ...words] = self;
  const child = spawn(program, [...words, RENEWAL_WORD, profile, hashOf(accessToken)], {
    cwd,
    env: env as NodeJS.ProcessEnv,
    stdio: "ignore",
    detached: true,
    windowsHide: true,
  });
  // Whoever waits for the new token sees that there is none.
  child.on("error", () => {});
  child.unref();
}

/** That process. Of several that are started for the same token one asks the issuer. Nobody hears what it fails with. */
export async function renewalChild(context: Context, [name = "", hash = ""]: readonly string[]): Promise<void> {
  try {
    const profile = readProfile(context, name);
    const session = profile && (await Session.open(context, profile));
    await session?.renew(({ accessToken }) => hashOf(accessToken) === hash, LOCK_LIMIT);
  } catch {
    process.exitCode = 1;
  } finally {
    await context.closeAll();
  }
}

/** The command line of a process can be read by others. */
function hashOf(accessToken: string): string {
  return createHash("sha256").update(accessToken).digest("hex");
}
