import type { Changes } from "../event.ts";
import { formatHolder } from "../holder.ts";
import { isLive, type LeaseRow } from "../lease.ts";
import type { Caller, StatusChange } from "../ledger.ts";
import { Refusal } from "../refusal.ts";
import type { Evidence, Task } from "../task.ts";
import type { Millis } from "../time.ts";
import type { Status } from "../vocabulary.ts";
import type { EventDraft } from "./draft.ts";

const TARGETS: Readonly<Record<StatusChange["verb"], Status>> = {
  done: "done",
  ready: "ready",
  paused: "paused",
  reopened: "open",
  cancelled: "cancelled",
};

/** What moving a task to another status writes. */
export interface StatusMove {
  readonly status: Status;
  readonly doneAt: Millis | null;
  /** Evidence that was not there yet. */
  readonly evidence: readonly Evidence[];
  /** The lease ends with it. */
  readonly ends: boolean;
  readonly event: EventDraft;
}

/** All but `reopened` end the caller's lease. Null: it is done already. Throws `evidence_required`. */
export function planMove(
  before: Task,
  lease: LeaseRow,
  change: StatusChange,
  caller: Caller,
  now: Millis,
): StatusMove | null {
  const status = TARGETS[change.verb];
  const evidence = (change.evidence ?? []).filter((file) => !hasEvidence(before, file));
  const ends = change.verb !== "reopened" && mayEnd(lease, caller, now);
  if (before.status === status && evidence.length === 0 && !ends) return null;
  if (change.verb === "done") requireEvidence(before, change);
  const doneAt = status === "done" ? whenDone(before, now) : null;
  const changes: Changes = {
    status: [before.status_raw ?? before.status, status],
    ...(before.done_at !== doneAt && { done_at: [before.done_at, doneAt] }),
  };
  const data = {
    changes,
    ...(change.reason && { reason: change.reason }),
    ...(evidence.length > 0 && { evidence }),
    ...(ends && { prev_holder: lease.holder }),
  };
  return {
    status,
    doneAt,
    evidence,
    ends,
    event: { task: before.id, kind: change.verb, by: caller, fence: lease.fence, data },
  };
}

/** Where enforcement is off, a change is let through; the lease of another stays what it is all the same. */
function mayEnd(lease: LeaseRow, caller: Caller, now: Millis): boolean {
  return lease.holder !== null && (lease.holder === formatHolder(caller) || !isLive(lease, now));
}

/** Evidence that comes later does not move the time at which a task was done. */
function whenDone(before: Task, now: Millis): Millis {
  return (before.status === "done" ? before.done_at : null) ?? now;
}

function hasEvidence(task: Task, file: Evidence): boolean {
  return task.evidence.some((there) => there.path === file.path && there.sha256 === file.sha256);
}

function requireEvidence(task: Task, change: StatusChange): void {
  if (!change.requireEvidence || change.evidence?.length || task.evidence.length > 0) return;
  throw new Refusal(
    "evidence_required",
    `Task ${task.id} needs evidence before it is done (mc.requireEvidence is on).`,
    {
      taskId: task.id,
      hint: `Type \`alai mc done ${task.id} --evidence FILE\`.`,
    },
  );
}
