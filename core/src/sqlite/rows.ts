import type { SQLInputValue } from "node:sqlite";
import type { LedgerEvent } from "../event.ts";
import { type LeaseRow, leaseState } from "../lease.ts";
import type { Evidence, Task } from "../task.ts";
import { fromStoreTime, type Millis, toIso, toStoreTime } from "../time.ts";
import { type Priority, readPriority, readStatus } from "../vocabulary.ts";
import { type Column, type ColumnMap, LOGICAL_COLUMNS, quote, type TimeColumn } from "./columns.ts";
import type { Row, Store } from "./store.ts";

/** The columns a field is read from; fields that are not here have a column of their own name. */
const SOURCES: Readonly<Partial<Record<keyof Task, readonly Column[]>>> = {
  status_raw: ["status"],
  priority_raw: ["priority"],
  lease_state: ["lease_holder", "lease_until"],
  fence: ["lease_fence"],
  blocked_by: ["id"],
  evidence: ["id"],
  extra: ["id"],
};

const BLOCKED_BY = '(SELECT json_group_array(blocker_id) FROM alai_deps WHERE task_id = t.$id) AS "$blocked_by"';
const EVIDENCE =
  "(SELECT json_group_array(json_object('path', path, 'sha256', sha256, 'size', size)) FROM alai_evidence WHERE task_id = t.$id) AS \"$evidence\"";

/** The select list for these fields (absent: all). Our columns come as `$name`, so that an adopted file's own keep theirs. */
export function selectList(map: ColumnMap, fields?: readonly (keyof Task)[]): string {
  const wants = (field: keyof Task) => !fields || fields.includes(field);
  const id = quote(map.names.id);
  const columns = fields
    ? new Set(fields.flatMap((field) => SOURCES[field] ?? [field as Column]))
    : new Set(LOGICAL_COLUMNS);
  const list = [selectColumns(map, [...columns])];
  if (wants("blocked_by")) list.push(BLOCKED_BY.replace("$id", () => id));
  if (wants("evidence")) list.push(EVIDENCE.replace("$id", () => id));
  if (wants("extra")) list.push('1 AS "$extra", t.*');
  return list.join(", ");
}

/** `t."column" AS "$name"`, for columns of `tasks t`. */
export function selectColumns(map: ColumnMap, columns: readonly Column[]): string {
  return columns.map((column) => `t.${quote(map.names[column])} AS "$${column}"`).join(", ");
}

function text(value: SQLInputValue | undefined): string | null {
  return value === null || value === undefined || value === "" ? null : String(value);
}

function integer(value: SQLInputValue | undefined): number | null {
  const number = value === null || value === undefined || value === "" ? Number.NaN : Number(value);
  return Number.isSafeInteger(number) ? number : null;
}

/** Tags as stored by us (a JSON array) or by others (words between commas or spaces). */
export function readTags(value: SQLInputValue | undefined): string[] {
  const stored = text(value);
  if (stored === null) return [];
  if (stored.startsWith("[")) {
    try {
      const parsed: unknown = JSON.parse(stored);
      if (Array.isArray(parsed)) return parsed.map(String);
    } catch {
      // Not JSON after all: words.
    }
  }
  return stored.split(/[,\s]+/).filter(Boolean);
}

/** A row of `selectList` as a task. Fields that were not selected come out empty. */
export function readTask(row: Row, map: ColumnMap, now: Millis): Task {
  const raw = text(row.$status);
  const status = readStatus(raw);
  const priority = readPriority(row.$priority);
  const lease = readLease(row);
  return {
    id: Number(row.$id),
    title: text(row.$title) ?? "",
    description: text(row.$description),
    status: status ?? raw ?? "",
    status_raw: raw === status ? null : raw,
    priority,
    priority_raw: priority !== null && String(row.$priority) === String(priority) ? null : text(row.$priority),
    project: text(row.$project),
    owner: text(row.$owner),
    tags: readTags(row.$tags),
    parent: integer(row.$parent),
    blocked_by: readJson<number[]>(row.$blocked_by) ?? [],
    due: fromStoreTime(row.$due),
    deferred_until: fromStoreTime(row.$deferred_until),
    evidence: readJson<Evidence[]>(row.$evidence) ?? [],
    dedup_key: text(row.$dedup_key),
    version: integer(row.$version) ?? 1,
    created_at: fromStoreTime(row.$created_at),
    updated_at: fromStoreTime(row.$updated_at),
    done_at: fromStoreTime(row.$done_at),
    lease_state: leaseState(lease, now),
    lease_holder: lease.holder,
    lease_until: lease.until,
    fence: lease.fence,
    attempts: integer(row.$attempts) ?? 0,
    extra: "$extra" in row ? readExtra(row, map) : NO_EXTRA,
  };
}

const NO_EXTRA: Readonly<Record<string, unknown>> = {};

/** The lease part of a row. */
export function readLease(row: Row): LeaseRow {
  return {
    id: Number(row.$id),
    holder: text(row.$lease_holder),
    until: fromStoreTime(row.$lease_until),
    fence: integer(row.$lease_fence) ?? 0,
  };
}

function readExtra(row: Row, map: ColumnMap): Record<string, unknown> {
  const known = new Set<string>(Object.values(map.names));
  return Object.fromEntries(
    Object.entries(row)
      .filter(([name]) => !name.startsWith("$") && !known.has(name))
      .map(([name, value]) => [name, readExtraValue(value)]),
  );
}

/** A value as JSON can carry it: bytes as base64, an integer that is too long for a number as its digits. */
function readExtraValue(value: SQLInputValue): unknown {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  return ArrayBuffer.isView(value) ? Buffer.from(value as Uint8Array).toString("base64") : value;
}

function readJson<T>(value: SQLInputValue | undefined): T | null {
  return typeof value === "string" ? (JSON.parse(value) as T) : null;
}

export function readEvent(row: Row): LedgerEvent {
  return {
    seq: Number(row.seq),
    task: integer(row.task_id),
    kind: String(row.kind) as LedgerEvent["kind"],
    at: fromStoreTime(row.at) ?? 0,
    actor: String(row.actor),
    session: String(row.session),
    fence: integer(row.fence),
    data: readJson<Record<string, unknown>>(row.data) ?? {},
  };
}

/** The expiry that this file can store, never earlier than `ms`: what a holder is told is what the row says. */
export function storableUntil(map: ColumnMap, ms: Millis): Millis {
  return map.times.lease_until === "seconds" ? Math.ceil(ms / 1000) * 1000 : ms;
}

/** What is written for a time, in the form this file keeps in that column. */
export function writeTime(map: ColumnMap, column: TimeColumn, ms: Millis | null): SQLInputValue {
  if (ms === null) return null;
  const unit = map.times[column];
  if (unit === "seconds") return Math.floor(ms / 1000);
  if (unit === "iso") return toIso(ms);
  return unit === "millis" ? ms : toStoreTime(ms);
}

export function writeTags(map: ColumnMap, tags: readonly string[]): SQLInputValue {
  if (tags.length === 0) return null;
  return map.tags === "json" ? JSON.stringify(tags) : tags.join(",");
}

export function writePriority(map: ColumnMap, priority: Priority): SQLInputValue {
  return map.priorityWords[priority] ?? priority;
}

/** The quoted column, as part of table `t`. */
export function col(store: Store, column: Column): string {
  return `t.${store.names[column]}`;
}
