import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Millis } from "@alai/core";
import type { Context } from "../kit/context.ts";
import { requireCheckedTls } from "./checked-tls.ts";
import { readToken } from "./env-token.ts";
import type { Session } from "./session.ts";

/** Where the token of a call to the server comes from. */
export interface TokenSource {
  /** Asked for each call: whoever waits for long meanwhile has a new one. Null: nobody is signed in. */
  get(): Promise<string | null>;
  /** Another token after the server refused this one; null when there is none. */
  renewed(refused: string): Promise<string | null>;
  /** What to do where a server wants a token and there is none that may go to it; null when that is not why. */
  withheld?(): Promise<string | null>;
}

/**
 * `ALAI_TOKEN` > `ALAI_TOKEN_FILE` > who is signed in with the profile. The profile's tokens go to its own server and no other.
 * @param url of the server that will get it.
 * @param limit for a process that may be ended at any time: it renews nothing itself, and waits so long for another that does.
 */
export function tokenSource(context: Context, url: string, limit?: Millis): TokenSource {
  const source = sourceFor(context, url, limit);
  const get = async () => {
    const token = await source.get();
    if (token !== null && new URL(url).protocol === "https:") requireCheckedTls(context.env);
    return token;
  };
  return { ...source, get };
}

function sourceFor(context: Context, url: string, limit: Millis | undefined): TokenSource {
  const { env, platform } = context;
  if (env.ALAI_TOKEN || env.ALAI_TOKEN_FILE)
    return {
      get: async () => readToken(env, platform),
      // Whoever renews the file may have done so just now.
      renewed: async (refused) => {
        const token = readToken(env, platform);
        return token === refused ? null : token;
      },
    };
  // Nothing of the sign-in is loaded where nobody ever signed in.
  if (!existsSync(join(context.paths.config, "sealed"))) return { get: async () => null, renewed: async () => null };
  const session = import("./session-for.ts").then(({ sessionFor }) => sessionFor(context, url));
  const withheld = async () => (await import("./session-for.ts")).whyWithheld(context, url);
  if (limit !== undefined) return { ...elsewhere(context, session, limit), withheld };
  return {
    withheld,
    get: async () => (await (await session)?.accessToken()) ?? null,
    renewed: async (refused) => (await (await session)?.renewed(refused)) ?? null,
  };
}

function elsewhere(context: Context, session: Promise<Session | null>, limit: Millis): TokenSource {
  const source = import("./renewed-elsewhere.ts").then(({ renewedElsewhere }) =>
    renewedElsewhere(context, session, limit),
  );
  return { get: async () => (await source).get(), renewed: async (refused) => (await source).renewed(refused) };
}
