import { readFileSync, statSync } from "node:fs";
import { type Millis, toIso } from "@alai/core";
import type { Env } from "../kit/env.ts";
import { Exit, usage } from "../kit/errors.ts";
import { EXIT } from "../kit/exit.ts";
import { jwtExpiry } from "./grant.ts";

/**
 * The token to sign in with: `ALAI_TOKEN`, or what is in the file that `ALAI_TOKEN_FILE` names; null when neither is set.
 * Read anew for each call, because whoever renews it writes the file. Throws a usage error; never says the token.
 */
export function readToken(env: Env, platform: string): string | null {
  if (env.ALAI_TOKEN) return checked(env.ALAI_TOKEN.trim(), "ALAI_TOKEN");
  if (!env.ALAI_TOKEN_FILE) return null;
  return checked(readPrivate(env.ALAI_TOKEN_FILE, platform).trim(), env.ALAI_TOKEN_FILE);
}

/** Throws Exit 4 for one that says it is over, or ends sooner than `ttl` milliseconds from now: nothing here can renew it. */
export function requireLasting(env: Env, token: string, now: Millis, ttl: Millis): void {
  const end = jwtExpiry(token);
  if (end === null || end - now > ttl) return;
  const name = env.ALAI_TOKEN ? "ALAI_TOKEN" : "ALAI_TOKEN_FILE";
  const message =
    end <= now
      ? `The token of ${name} has run out (${toIso(end)}).`
      : `The token of ${name} ends at ${toIso(end)}, sooner than --min-ttl asks.`;
  throw new Exit(EXIT.signIn, "token_expired", message, `Put a new one there, or unset ${name} and type alai login.`);
}

function readPrivate(file: string, platform: string): string {
  let mode: number;
  let text: string;
  try {
    mode = statSync(file).mode;
    text = readFileSync(file, "utf8");
  } catch {
    throw usage(`The token file ${file} (ALAI_TOKEN_FILE) cannot be read.`, "Check the path and its permissions.");
  }
  if (platform !== "win32" && (mode & 0o077) !== 0)
    throw usage(`The token file ${file} can be read by others, so it is not used.`, `Type chmod 600 ${file}`);
  return text;
}

function checked(token: string, where: string): string {
  if (/^[!-~]+$/.test(token)) return token;
  throw usage(`What ${where} holds is not a token.`, "A token is one word of visible ASCII characters.");
}
