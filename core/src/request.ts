import { type Caller, REQUEST_MEMORY, type RequestKey } from "./ledger.ts";
import { badInput, Refusal } from "./refusal.ts";
import type { Millis } from "./time.ts";

/** An answer that a ledger kept under a key. */
export interface KeptAnswer<T> {
  readonly fingerprint: string;
  readonly at: Millis;
  readonly answer: T;
}

/** The key of a call, when it has one. Throws `BadInput` for one that cannot be kept. */
export function requestOf(caller: Caller): RequestKey | null {
  const { request } = caller;
  if (!request) return null;
  if (request.key.length >= 1 && request.key.length <= 255) return request;
  throw badInput("A request's key has 1 to 255 characters.", "Make one up for each change, for example a UUID.");
}

/** The same key is being answered at this moment, here or by another server. */
export function inFlight(key: string): Refusal {
  return new Refusal("in_flight", `A request with the key ${key} is at work at this moment.`, {
    hint: "Wait for its answer, or send it again in a moment.",
  });
}

/** True when what was kept answers a request now; an old one does not, whether it was dropped yet or not. Throws `key_reused`. */
export function answers(kept: KeptAnswer<unknown> | null, request: RequestKey, now: Millis): boolean {
  if (kept === null || now - kept.at >= REQUEST_MEMORY) return false;
  if (kept.fingerprint === request.fingerprint) return true;
  throw new Refusal("key_reused", `The key ${request.key} was used for another request.`, {
    hint: "Take a new key for each change; the same one only to send the same change again.",
  });
}
