import type { Holder } from "../holder.ts";
import type { LeaseRow } from "../lease.ts";
import type { SweptLease } from "../ledger.ts";
import type { EventDraft } from "./draft.ts";

export function releasedEvent(task: LeaseRow, by: Holder): EventDraft {
  return { task: task.id, kind: "released", by, fence: task.fence };
}

/** A lease that ran out and that nobody released or took since, as `sweep` lists it. */
export function lapsedLease(task: LeaseRow, title: string): SweptLease {
  const { id, holder, until, fence } = task;
  return { id, title, holder: holder ?? "", until: until ?? 0, fence, released: false };
}

export function expiredEvent(lease: SweptLease, by: Holder): EventDraft {
  const data = { prev_holder: lease.holder, prev_until: lease.until };
  return { task: lease.id, kind: "expired", by, fence: lease.fence, data };
}
