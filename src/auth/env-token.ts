import { readFileSync, statSync } from "node:fs";
import type { Env } from "../kit/env.ts";
import { usage } from "../kit/errors.ts";

/**
 * The token to sign in with: `ALAI_TOKEN`, or what is in the file that `ALAI_TOKEN_FILE` names; null when neither is set.
 * Read anew for each call, because whoever renews it writes the file. Throws a usage error; never says the token.
 */
export function readToken(env: Env, platform: string): string | null {
  if (env.ALAI_TOKEN) return checked(env.ALAI_TOKEN.trim(), "ALAI_TOKEN");
  if (!env.ALAI_TOKEN_FILE) return null;
  return checked(readPrivate(env.ALAI_TOKEN_FILE, platform).trim(), env.ALAI_TOKEN_FILE);
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
