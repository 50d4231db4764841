import type { Changes, EventKind, LedgerEvent } from "../event.ts";
import type { LeaseRow } from "../lease.ts";
import type { Caller } from "../ledger.ts";
import { Refusal } from "../refusal.ts";
import type { Evidence, Task } from "../task.ts";
import { CLOSED_STATUSES, LIVE_STATUSES, readStatus, type Status } from "../vocabulary.ts";
import type { EventDraft } from "./draft.ts";

/** What can be undone. A lease cannot: give it back with claim-release. */
export const UNDOABLE: readonly EventKind[] = [
  "added",
  "edited",
  "done",
  "ready",
  "paused",
  "reopened",
  "cancelled",
  "dep_added",
  "dep_removed",
];

export function nothingToUndo(): Refusal {
  return new Refusal("nothing_to_undo", "There is no change of this session to undo.", {
    hint: "Find the event's number with `alai mc events`, then type `alai mc undo NUMBER`.",
  });
}

export function noEvent(seq: number): Refusal {
  return new Refusal("not_found", `There is no event ${seq}.`, { hint: "Type `alai mc events` to see them." });
}

/** Throws `nothing_to_undo` for an event of another kind. */
export function requireUndoable(event: LedgerEvent): void {
  if (UNDOABLE.includes(event.kind)) return;
  throw new Refusal("nothing_to_undo", `Event ${event.seq} (${event.kind}) cannot be undone.`, {
    hint: `Undo reverses ${UNDOABLE.join(", ")}.`,
  });
}

/** @param by the number of the event that undid it. */
export function undoneAlready(seq: number, by: number): Refusal {
  return new Refusal("nothing_to_undo", `Event ${seq} was undone by event ${by} already.`, {
    hint: "Type `alai mc events` to see the changes there are.",
  });
}

export function changedSince(event: LedgerEvent, what: readonly string[]): Refusal {
  const id = event.task ?? 0;
  return new Refusal(
    "version_conflict",
    `Task ${id} was changed again since event ${event.seq} (${what.join(", ")}).`,
    { taskId: id, hint: `Undo the later change first: \`alai mc events --task ${id}\`.` },
  );
}

/** A dependency that is not as the event left it. */
export function dependencyChangedSince(event: LedgerEvent, blocker: number): Refusal {
  return changedSince(event, [`dependency on task ${blocker}`]);
}

/** The dependencies that undoing the event adds or removes; null for an event of another kind. */
export function reversedDependencies(event: LedgerEvent): { add: boolean; blockers: readonly number[] } | null {
  if (event.kind !== "dep_added" && event.kind !== "dep_removed") return null;
  return { add: event.kind === "dep_removed", blockers: event.data.blockers as number[] };
}

/** The fields that undoing the event sets. Refuses when one was changed again since: undo would take that change with it. */
export function reversedChanges(event: LedgerEvent, task: Task): Changes {
  const changes = (event.kind === "added" ? { status: [task.status, "cancelled"] } : reversed(event)) as Changes;
  // One that was closed since is somebody's result: cancelling it would take that away.
  const closedSince = CLOSED_STATUSES.includes(task.status as Status) ? ["status"] : [];
  const moved =
    event.kind === "added"
      ? closedSince
      : Object.entries(changes).flatMap(([field, [now]]) => (isSame(task, field, now) ? [] : [field]));
  if (moved.length > 0) throw changedSince(event, moved);
  return changes;
}

/** Evidence that came with the event, and goes with it. */
export function broughtEvidence(event: LedgerEvent): readonly Evidence[] {
  return (event.data.evidence ?? []) as readonly Evidence[];
}

/** Words of another program that our own writing would not give back, by column. */
export function rawValues(event: LedgerEvent): Readonly<Record<string, string | number>> {
  return (event.data.raw ?? {}) as Readonly<Record<string, string | number>>;
}

/** A lease does not outlive the task's being open work. */
export function endsLease(changes: Changes | null, lease: LeaseRow): boolean {
  return changes?.status !== undefined && lease.holder !== null && !isOpenWork(changes.status[1]);
}

export function undoneEvent(event: LedgerEvent, changes: Changes | null, lease: LeaseRow, by: Caller): EventDraft {
  const evidence = broughtEvidence(event);
  const data = {
    undoes: event.seq,
    kind: event.kind,
    ...(changes && { changes }),
    ...(evidence.length > 0 && { evidence }),
  };
  return { task: lease.id, kind: "undone", by, fence: lease.fence, data };
}

function isOpenWork(status: unknown): boolean {
  return LIVE_STATUSES.includes(readStatus(status) as Status);
}

function reversed(event: LedgerEvent): Changes {
  const changes = (event.data.changes ?? {}) as Changes;
  return Object.fromEntries(
    Object.entries(changes).map(([field, [before, after]]) => [field, [after, before] as const]),
  );
}

function isSame(task: Task, field: string, value: unknown): boolean {
  return JSON.stringify(task[field as keyof Task] ?? null) === JSON.stringify(value ?? null);
}
