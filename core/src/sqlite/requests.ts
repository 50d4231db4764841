import type { Caller, RequestKey } from "../ledger.ts";
import { REQUEST_MEMORY } from "../ledger.ts";
import { answers, requestOf } from "../request.ts";
import { fromStoreTime, toStoreTime } from "../time.ts";
import type { Store, Tx } from "./store.ts";

/** How many of the oldest kept answers are looked at when one is kept: more than one, so that they get fewer. */
const SWEEP = 4;

/**
 * Makes a change once for each request key of the caller: the answer is kept in the transaction of the change, so that
 * either both are there or neither. A call without a key is made as it is.
 */
export async function once<T>(store: Store, caller: Caller, body: (tx: Tx) => T): Promise<T> {
  const request = requestOf(caller);
  if (!request) return store.writeTogether(body);
  let replayed = false;
  const answer = await store.writeTogether((tx) => {
    const kept = find<T>(store, caller.actor, request.key);
    replayed = answers(kept, request, tx.now);
    if (replayed && kept) return kept.answer;
    const fresh = body(tx);
    keep(store, tx, caller.actor, request, fresh);
    return fresh;
  });
  if (replayed) request.replayed?.();
  return answer;
}

function find<T>(store: Store, subject: string, key: string) {
  const row = store.get(
    "SELECT fingerprint, at, answer FROM alai_requests WHERE subject = ? AND key = ?",
    subject,
    key,
  );
  if (!row) return null;
  return {
    fingerprint: String(row.fingerprint),
    at: fromStoreTime(row.at) ?? 0,
    answer: JSON.parse(String(row.answer)) as T,
  };
}

/** Keeps an answer, in the place of one that is too old to count. */
function keep(store: Store, tx: Tx, subject: string, request: RequestKey, answer: unknown): void {
  dropOld(store, tx);
  store.run(
    "INSERT OR REPLACE INTO alai_requests (subject, key, at, fingerprint, answer) VALUES (?, ?, ?, ?, ?)",
    subject,
    request.key,
    tx.nowText,
    request.fingerprint,
    JSON.stringify(answer),
  );
}

/** The oldest come first by their number: this reads a few rows, however many there are. */
function dropOld(store: Store, tx: Tx): void {
  store.run(
    "DELETE FROM alai_requests WHERE id IN (SELECT id FROM alai_requests ORDER BY id LIMIT ?) AND at <= ?",
    SWEEP,
    toStoreTime(tx.now - REQUEST_MEMORY),
  );
}
