import type { LedgerEvent } from "../event.ts";
import { formatHolder, type Holder } from "../holder.ts";
import type { LeaseRow } from "../lease.ts";
import type { Approval } from "../ledger.ts";
import type { Millis } from "../time.ts";
import type { EventDraft } from "./draft.ts";

/** How many of a task's newest events are looked at for approvals. */
export const APPROVALS_AMONG = 200;

export function approvedEvent(task: LeaseRow, reason: string, until: Millis, by: Holder): EventDraft {
  return { task: task.id, kind: "approved", by, fence: task.fence, data: { reason, until } };
}

/** Approvals that are still good: not past their time, and given for the present claim. */
export function liveApprovalsOf(task: LeaseRow, newest: readonly LedgerEvent[], now: Millis): Approval[] {
  return newest
    .filter((event) => event.kind === "approved" && event.fence === task.fence && Number(event.data.until) > now)
    .map((event) => ({
      id: task.id,
      reason: String(event.data.reason),
      until: Number(event.data.until),
      by: formatHolder(event),
    }));
}
