import type { Caller, Millis } from "@alai/core";
import { extendedUntil } from "@alai/core/lease";
import type { EventDraft } from "@alai/core/rules/draft";
import { isRenewalDue, renewedEvent, renewedTtl, renewsByActing } from "@alai/core/rules/renew";
import type { Locked } from "./lock.ts";
import { priorityColumns, statusColumns, type TaskRow } from "./rows.ts";
import type { Session } from "./session.ts";
import { SQL } from "./sql.ts";

/** A row with fields set as a task shows them, one version on. */
export function withFields(row: TaskRow, fields: Readonly<Record<string, unknown>>, now: Millis): TaskRow {
  const { status, priority, ...others } = fields;
  return {
    ...row,
    ...others,
    ...(status !== undefined && statusColumns(String(status))),
    ...(priority !== undefined && priorityColumns(priority as number | null)),
    version: row.version + 1,
    updated_at: now,
  };
}

export function withoutLease(row: TaskRow): TaskRow {
  return { ...row, lease_holder: null, lease_until: null, lease_ttl: null };
}

/** Every verb of the holder keeps its lease alive: the row after that, and what the journal says of it. */
export function renewedByActing(locked: Locked, caller: Caller, now: Millis): { row: TaskRow; drafts: EventDraft[] } {
  const { row, lease } = locked;
  if (!renewsByActing(lease, caller, now)) return { row, drafts: [] };
  const until = extendedUntil(lease, now, lease.ttl);
  const due = isRenewalDue(row.lease_told, now);
  const lease_told = due ? now : row.lease_told;
  const renewed = { ...row, lease_until: until, lease_ttl: renewedTtl(lease, lease.ttl, true), lease_told };
  return { row: renewed, drafts: due ? [renewedEvent(lease, caller, until, lease.ttl)] : [] };
}

/** Writes a row that is locked. */
export function saveRow(session: Session, row: TaskRow): void {
  session.send(
    SQL.saveTask,
    row.id,
    row.title,
    row.description,
    row.status,
    row.status_raw,
    row.priority,
    row.priority_raw,
    row.project,
    row.owner,
    row.tags,
    row.parent,
    row.due,
    row.deferred_until,
    row.version,
    row.updated_at,
    row.done_at,
    row.lease_holder,
    row.lease_until,
    row.lease_ttl,
    row.lease_told,
  );
}
