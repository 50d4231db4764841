import { answers, type Caller, type Millis, REQUEST_MEMORY, Refusal, requestOf } from "@alai/core";
import { DEFAULT_TTL } from "@alai/core/lease";
import { RENEWAL_JOURNAL_INTERVAL } from "@alai/core/rules/renew";
import type { Kept } from "./kept.ts";
import { wordLease } from "./lease-answer.ts";
import { wordNext } from "./next-answer.ts";

/** What the functions of the database go by that is written in core. */
export const RULES = JSON.stringify({
  ttl: DEFAULT_TTL,
  renewal: RENEWAL_JOURNAL_INTERVAL,
  memory: REQUEST_MEMORY,
});

/** A key that is not to be run now: `answer` is null while another transaction is at work under it. */
export type Found = readonly [call: number, fingerprint: string | null, at: Millis | null, answer: Kept | null];

/** The keys of a batch as the functions read them; null when there is none. */
export function keysOf(callers: readonly Caller[]): string | null {
  const keys = callers.flatMap((caller, call) => {
    const request = requestOf(caller);
    return request ? [{ call, actor: caller.actor, key: request.key, fingerprint: request.fingerprint }] : [];
  });
  return keys.length > 0 ? JSON.stringify(keys) : null;
}

/** The answer that was kept under a key. Throws `in_flight`, or `key_reused`. */
export function replay<T>([, fingerprint, at, answer]: Found, caller: Caller, now: Millis): T {
  const request = requestOf(caller);
  if (!request || answer === null || fingerprint === null || at === null) throw inFlight(request?.key ?? "");
  if (!answers({ fingerprint, at, answer }, request, now)) throw new Error("an old answer was found");
  request.replayed?.();
  return wordKept(answer) as T;
}

/** The answer itself, from what was kept of it. */
export function wordKept(kept: Kept): unknown {
  if ("value" in kept) return kept.value;
  const { verb, tasks, moment } = kept;
  if (verb !== "next") return tasks.map(([, id, answer]) => wordLease(verb, id, answer, undefined, moment));
  return tasks.map((task) => wordNext(task, moment))[0];
}

export function inFlight(key: string): Refusal {
  return new Refusal("in_flight", `A request with the key ${key} is at work at this moment.`, {
    hint: "Wait for its answer, or send it again in a moment.",
  });
}
