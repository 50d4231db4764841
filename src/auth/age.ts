import type { Millis } from "@alai/core";
import type { Tokens } from "./tokens.ts";

/** A token is renewed when this much of its life is left: a call may be under way when it ends. */
const SOON: Millis = 60_000;
const SOON_SHARE = 0.1;

/** No server takes it any more. */
export function isOver({ expiresAt }: Tokens, now: Millis): boolean {
  return expiresAt !== null && expiresAt <= now;
}

/** It is to be renewed. @param ttl milliseconds that it must be good for. */
export function isOld({ accessToken, expiresAt, obtainedAt }: Tokens, now: Millis, ttl: Millis = 0): boolean {
  if (accessToken === "") return true;
  if (expiresAt === null) return false;
  const life = Math.max(0, expiresAt - obtainedAt);
  return expiresAt - now <= Math.max(ttl, Math.min(SOON, life * SOON_SHARE));
}
