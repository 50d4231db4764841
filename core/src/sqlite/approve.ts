import { formatHolder } from "../holder.ts";
import type { Approval, Caller } from "../ledger.ts";
import { APPROVALS_AMONG, approvedEvent, liveApprovalsOf } from "../rules/approve.ts";
import type { Millis } from "../time.ts";
import { listEvents } from "./journal.ts";
import { lockedTask } from "./locked-task.ts";
import type { Store, Tx } from "./store.ts";

/** Records that others may act on a held task until `ttl` from now. The lease itself is not touched. */
export function approveOne(store: Store, tx: Tx, id: number, reason: string, ttl: Millis, caller: Caller): Approval {
  const task = lockedTask(store, id);
  const until = tx.now + ttl;
  tx.append(approvedEvent(task, reason, until, caller));
  return { id, reason, until, by: formatHolder(caller) };
}

/** Approvals that are still good: not past their time, and given for the present claim. */
export function liveApprovals(store: Store, now: Millis, id: number): Approval[] {
  const task = lockedTask(store, id);
  return liveApprovalsOf(task, listEvents(store, { task: id, last: APPROVALS_AMONG }), now);
}
