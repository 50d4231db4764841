import { setTimeout as sleep } from "node:timers/promises";
import type { Millis } from "@alai/core";
import { monotonic } from "@alai/core/monotonic";
import type { Context } from "../kit/context.ts";
import { Exit } from "../kit/errors.ts";
import { EXIT } from "../kit/exit.ts";
import { isOld, isOver } from "./age.ts";
import { startRenewal } from "./renewal.ts";
import type { Session } from "./session.ts";
import { expired, signedOut } from "./sign-in-needed.ts";
import type { TokenSource } from "./source.ts";
import type { Tokens } from "./tokens.ts";

const PAUSE: Millis = 30;

/**
 * The sign-in's token for a process that has little time and is ended then: a refresh under way would be lost with it, and with
 * it the sign-in. So another process renews, and this one waits as long as it may.
 * @param limit milliseconds from now on; then Exit 69.
 */
export function renewedElsewhere(context: Context, opened: Promise<Session | null>, limit: Millis): TokenSource {
  const end = monotonic() + limit;
  return {
    async get() {
      const session = await opened;
      const tokens = session?.stored();
      if (!session || !tokens) return null;
      const now = context.clock();
      if (!isOld(tokens, now)) return tokens.accessToken;
      const isGood = !isOver(tokens, now) && tokens.accessToken !== "";
      if (!session.canRenew(tokens)) {
        if (isGood) return tokens.accessToken;
        throw expired(context, session.profile);
      }
      startRenewal(context, session.profile, tokens.accessToken);
      return isGood ? tokens.accessToken : next(context, session, tokens.accessToken, end);
    },
    async renewed(refused) {
      const session = await opened;
      const tokens = session?.stored();
      if (!session || !tokens) return null;
      if (tokens.accessToken !== refused) return tokens.accessToken;
      if (!session.canRenew(tokens)) return null;
      startRenewal(context, session.profile, refused);
      return next(context, session, refused, end);
    },
  };
}

/** The token that comes in place of this one. */
async function next(context: Context, session: Session, before: string, end: number): Promise<string> {
  for (;;) {
    const tokens: Tokens | null = session.stored();
    if (!tokens) throw signedOut(context, session.profile);
    if (tokens.accessToken !== before) return tokens.accessToken;
    if (monotonic() >= end) throw late();
    await sleep(PAUSE);
  }
}

function late(): Exit {
  return new Exit(
    EXIT.unavailable,
    "sign_in_renewing",
    "Your sign-in is being renewed, and the issuer has not answered yet.",
    "Try again in a moment; alai whoami says whether you are signed in.",
  );
}
