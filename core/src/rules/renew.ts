import { formatHolder, type Holder } from "../holder.ts";
import { isLive } from "../lease.ts";
import type { Caller, Grant } from "../ledger.ts";
import type { Millis } from "../time.ts";
import type { EventDraft } from "./draft.ts";
import type { LockedTask } from "./locked-task.ts";

/** A renewal is journalled at most this often: heartbeats do not make the journal grow (claims.md §c.9). */
export const RENEWAL_JOURNAL_INTERVAL: Millis = 10 * 60_000;

/** @param last when the journal last told of this lease: gained, taken over or renewed. */
export function isRenewalDue(last: Millis | null, now: Millis): boolean {
  return now - (last ?? 0) >= RENEWAL_JOURNAL_INTERVAL;
}

/** What later renewals go by: a retry does not shorten it. */
export function renewedTtl(task: LockedTask, ttl: Millis, idempotent: boolean): Millis {
  return idempotent ? Math.max(ttl, task.ttl) : ttl;
}

export function renewedEvent(task: LockedTask, by: Holder, until: Millis, ttl: Millis): EventDraft {
  return { task: task.id, kind: "renewed", by, fence: task.fence, data: { ttl, until } };
}

/** Its length is the one in force: a retry that asks for less changes nothing, and is not told that it did. */
export function renewedGrant(task: LockedTask, by: Holder, until: Millis, asked: Millis, idempotent: boolean): Grant {
  const { id, title, fence } = task;
  const ttl = renewedTtl(task, asked, idempotent);
  return { id, title, holder: formatHolder(by), fence, until, ttl, idempotent, previous: null };
}

/** Every verb of the holder keeps its lease alive: nobody heartbeats by hand (rule 7). */
export function renewsByActing(task: LockedTask, caller: Caller, now: Millis): boolean {
  return isLive(task, now) && task.holder === formatHolder(caller);
}
