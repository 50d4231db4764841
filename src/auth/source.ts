import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Context } from "../kit/context.ts";
import { requireCheckedTls } from "./checked-tls.ts";
import { readToken } from "./env-token.ts";

/** Where the token of a call to the server comes from. */
export interface TokenSource {
  /** Asked for each call: whoever waits for long meanwhile has a new one. Null: nobody is signed in. */
  get(): Promise<string | null>;
  /** Another token after the server refused this one; null when there is none. */
  renewed(refused: string): Promise<string | null>;
}

/**
 * `ALAI_TOKEN` > `ALAI_TOKEN_FILE` > who is signed in with the profile. The profile's tokens go to its own server and no other.
 * @param url of the server that will get it.
 */
export function tokenSource(context: Context, url: string): TokenSource {
  const source = sourceFor(context, url);
  const get = async () => {
    const token = await source.get();
    if (token !== null && new URL(url).protocol === "https:") requireCheckedTls(context.env);
    return token;
  };
  return { get, renewed: source.renewed };
}

function sourceFor(context: Context, url: string): TokenSource {
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
  return {
    get: async () => (await (await session)?.accessToken()) ?? null,
    renewed: async (refused) => (await (await session)?.renewed(refused)) ?? null,
  };
}
