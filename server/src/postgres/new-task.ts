import type { Millis, NewTask } from "@alai/core";
import type { Origin } from "@alai/core/rules/import";
import { DEFAULT_PRIORITY } from "@alai/core/vocabulary";
import { statusColumns, type TaskRow } from "./rows.ts";
import type { Session } from "./session.ts";
import { SQL } from "./sql.ts";

/** The row of a task that is added now. */
export function newRow(id: number, task: NewTask, now: Millis, origin: Origin = {}): TaskRow {
  return {
    id,
    title: task.title,
    description: task.description ?? null,
    ...statusColumns(task.status ?? "open"),
    priority: task.priority ?? DEFAULT_PRIORITY,
    priority_raw: null,
    project: task.project ?? null,
    owner: task.owner ?? null,
    tags: task.tags ?? [],
    parent: task.parent ?? null,
    due: task.due ?? null,
    deferred_until: task.deferred_until ?? null,
    dedup_key: task.dedup_key || null,
    version: 1,
    created_at: origin.created_at ?? now,
    updated_at: now,
    done_at: origin.done_at ?? null,
    lease_holder: null,
    lease_until: null,
    lease_ttl: null,
    lease_fence: 0,
    lease_told: null,
    attempts: 0,
    extra: null,
    blocked_by: [],
    evidence: null,
  };
}

export function sendNewRows(session: Session, rows: readonly TaskRow[]): void {
  if (rows.length > 0) session.send(SQL.addTasks, JSON.stringify(rows));
}
