import { answers, type Caller, inFlight, type Millis, REQUEST_MEMORY, requestOf } from "@alai/core";
import { DEFAULT_TTL } from "@alai/core/lease";
import { RENEWAL_JOURNAL_INTERVAL } from "@alai/core/rules/renew";
import { integers, texts } from "./arrays.ts";
import type { Waiting } from "./batcher.ts";
import type { Kept } from "./kept.ts";
import { wordLease } from "./lease-answer.ts";
import { wordNext } from "./next-answer.ts";

/** What the functions of the database go by that is written in core, as they take it. */
export const RULES = integers([DEFAULT_TTL, RENEWAL_JOURNAL_INTERVAL, REQUEST_MEMORY]);

/** What is known under the key of a call that was not run; nothing while another transaction is at work under it. */
export interface Known {
  readonly fingerprint?: string;
  readonly at?: Millis;
  readonly answer?: Kept;
  readonly moment?: Millis;
}

/** The keys of callers and their fingerprints, as the functions of the database take them; null when there is none. */
export function keysOf(callers: readonly Caller[]): readonly [keys: string, fingerprints: string] | null {
  const requests = callers.map(requestOf);
  if (requests.every((request) => request === null)) return null;
  return [
    texts(requests.map((request) => request?.key ?? null)),
    texts(requests.map((request) => request?.fingerprint ?? null)),
  ];
}

/**
 * Takes calls out of a queue. One under the key of another that is taken stays: it gets that one's answer by asking later.
 * @param wanted asked in the queue's order.
 */
export function takeDistinct<C extends { readonly caller: Caller }, A>(
  queue: Waiting<C, A>[],
  wanted: (call: C) => boolean,
): Waiting<C, A>[] {
  const keys = new Set<string>();
  const isOther = ({ request, actor }: Caller) => {
    if (!request) return true;
    const key = `${actor}\n${request.key}`;
    return !keys.has(key) && keys.add(key);
  };
  const taken: Waiting<C, A>[] = [];
  const left: Waiting<C, A>[] = [];
  for (const line of queue) (isOther(line.call.caller) && wanted(line.call) ? taken : left).push(line);
  queue.splice(0, queue.length, ...left);
  return taken;
}

/** The answer that was kept under a key. Throws `in_flight`, or `key_reused`. */
export function replay<T>({ fingerprint, at, answer, moment }: Known, caller: Caller): T {
  const request = requestOf(caller);
  if (!request || answer === undefined || fingerprint === undefined || at === undefined)
    throw inFlight(request?.key ?? "");
  if (!answers({ fingerprint, at, answer }, request, moment ?? 0)) throw new Error("an old answer was found");
  request.replayed?.();
  return wordKept(answer) as T;
}

/** The answer itself, from what was kept of it. */
export function wordKept(kept: Kept): unknown {
  if ("value" in kept) return kept.value;
  const { verb } = kept;
  if (verb === "next") return kept.tasks.map(wordNext)[0];
  return kept.tasks.map((task) => wordLease(verb, task, { actor: task.actor, session: task.session }, task.moment));
}
