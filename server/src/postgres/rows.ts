import {
  type Evidence,
  type LeaseRow,
  type LedgerEvent,
  leaseState,
  type Millis,
  type Priority,
  readPriority,
  readStatus,
  type Task,
} from "@alai/core";
import { DEFAULT_TTL } from "@alai/core/lease";
import type { LockedTask } from "@alai/core/rules/locked-task";
import type { Row } from "./types.ts";

/** A row of `alai.task_rows`, as TYPES reads it. */
export interface TaskRow {
  readonly id: number;
  readonly title: string;
  readonly description: string | null;
  readonly status: string;
  readonly status_raw: string | null;
  readonly priority: number | null;
  readonly priority_raw: string | null;
  readonly project: string | null;
  readonly owner: string | null;
  readonly tags: readonly string[];
  readonly parent: number | null;
  readonly due: Millis | null;
  readonly deferred_until: Millis | null;
  readonly dedup_key: string | null;
  readonly version: number;
  readonly created_at: Millis | null;
  readonly updated_at: Millis | null;
  readonly done_at: Millis | null;
  readonly lease_holder: string | null;
  readonly lease_until: Millis | null;
  readonly lease_ttl: Millis | null;
  readonly lease_fence: number;
  readonly lease_told: Millis | null;
  readonly attempts: number;
  readonly extra: Readonly<Record<string, unknown>> | null;
  readonly blocked_by: readonly number[];
  readonly evidence: readonly Evidence[] | null;
}

const TIMES = ["due", "deferred_until", "created_at", "updated_at", "done_at", "lease_until", "lease_told"] as const;

/** A row that a function gave as JSON, where times are ISO text. */
export function rowFromJson(row: Row): TaskRow {
  const times = TIMES.map((name) => [name, typeof row[name] === "string" ? Date.parse(row[name]) : null] as const);
  return { ...row, ...Object.fromEntries(times) } as unknown as TaskRow;
}

const NO_EXTRA: Readonly<Record<string, unknown>> = {};

/** What a row has where a column was not selected. */
const NOTHING: TaskRow = {
  id: Number.NaN,
  title: "",
  description: null,
  status: "",
  status_raw: null,
  priority: null,
  priority_raw: null,
  project: null,
  owner: null,
  tags: [],
  parent: null,
  due: null,
  deferred_until: null,
  dedup_key: null,
  version: 1,
  created_at: null,
  updated_at: null,
  done_at: null,
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

/** A row as a task; columns that were not selected come out empty. An empty text is none, as in every ledger. */
export function readTask(selected: Partial<TaskRow>, now: Millis): Task {
  const row = { ...NOTHING, ...selected };
  const lease = leaseOf(row);
  return {
    id: row.id,
    title: row.title,
    description: row.description || null,
    status: row.status,
    status_raw: row.status_raw,
    priority: row.priority as Priority | null,
    priority_raw: row.priority_raw,
    project: row.project || null,
    owner: row.owner || null,
    tags: row.tags,
    parent: row.parent,
    blocked_by: row.blocked_by,
    due: row.due,
    deferred_until: row.deferred_until,
    evidence: row.evidence ?? [],
    dedup_key: row.dedup_key,
    version: row.version,
    created_at: row.created_at,
    updated_at: row.updated_at,
    done_at: row.done_at,
    lease_state: leaseState(lease, now),
    lease_holder: lease.holder,
    lease_until: lease.until,
    fence: lease.fence,
    attempts: row.attempts,
    extra: row.extra ?? NO_EXTRA,
  };
}

export function leaseOf(row: Partial<TaskRow>): LeaseRow {
  return {
    id: row.id ?? Number.NaN,
    holder: row.lease_holder ?? null,
    until: row.lease_until ?? null,
    fence: row.lease_fence ?? 0,
  };
}

/** What the lease's rules read of a task. */
export function lockedOf(row: Partial<TaskRow>): LockedTask {
  return {
    ...leaseOf(row),
    title: row.title ?? "",
    status: readStatus(row.status),
    statusText: row.status_raw ?? row.status ?? "",
    ttl: row.lease_ttl || DEFAULT_TTL,
    waits: (row.blocked_by ?? []).length > 0,
  };
}

/** The columns of a status: our word where there is one, and the text that was given where it is not ours. */
export function statusColumns(word: string): Pick<TaskRow, "status" | "status_raw"> {
  const status = readStatus(word);
  return { status: status ?? word, status_raw: status === word ? null : word };
}

export function priorityColumns(word: string | number | null): Pick<TaskRow, "priority" | "priority_raw"> {
  const priority = readPriority(word);
  const ours = word === null || (priority !== null && String(word) === String(priority));
  return { priority, priority_raw: ours ? null : String(word) };
}

export function readEvent(row: Row): LedgerEvent {
  const { seq, task, kind, at, actor, session, fence, data } = row as unknown as LedgerEvent;
  return { seq, task, kind, at, actor, session, fence, data: data ?? {} };
}
