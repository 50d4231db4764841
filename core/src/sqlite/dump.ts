import type { DumpHead, DumpQuery, DumpRow, DumpTask } from "../dump.ts";
import { dumpEvent, dumpTask } from "../dump-rows.ts";
import { requireKept } from "../journal.ts";
import { fromStoreTime } from "../time.ts";
import { LOGICAL_COLUMNS } from "./columns.ts";
import { fromSqlite } from "./errors.ts";
import { ledgerId, prunedThrough } from "./meta.ts";
import { openStore } from "./open.ts";
import { readEvent, readTask, selectColumns } from "./rows.ts";
import type { Row, Store } from "./store.ts";

/** The same file twice under one task is the same evidence: a copy has it once. */
const evidenceSql = (where: string) =>
  `SELECT task_id, path, sha256, size FROM alai_evidence ${where} GROUP BY task_id, path, sha256, size`;

export function readHead(store: Store): DumpHead {
  const newest = store.get("SELECT seq, at FROM alai_events ORDER BY seq DESC LIMIT 1");
  return {
    ledger: ledgerId(store),
    seq: Number(newest?.seq ?? 0),
    at: fromStoreTime(newest?.at) ?? 0,
    pruned: prunedThrough(store),
    rows: countRows(store),
  };
}

export function countRows(store: Store): DumpHead["rows"] {
  const count = (from: string) => Number(store.get(`SELECT count(*) AS n FROM ${from}`)?.n);
  return {
    task: count("tasks"),
    dependency: count("alai_deps"),
    evidence: count(`(${evidenceSql("")})`),
    event: count("alai_events"),
  };
}

/**
 * Rows of one moment, one at a time, on a connection of its own: others go on reading and writing meanwhile. In an
 * adopted file without WAL a writer waits until the reader is through, as SQLite has it.
 */
export async function* dumpRows(ledger: Store, query: DumpQuery = {}): AsyncGenerator<DumpRow> {
  const store = await openStore(ledger.file, { missing: "empty" });
  const { after } = query;
  const params = after === undefined ? [] : [after];
  try {
    await store.hold();
    if (after !== undefined) requireKept(after, prunedThrough(store));
    const id = store.names.id;
    for (const row of store.each(
      `${tasksSql(store)} ${concerned(store, query, `t.${id}`)} ORDER BY t.${id}`,
      ...params,
    ))
      yield { table: "task", row: readDumpTask(store, row) };
    const theirs = concerned(store, query, "task_id");
    const dependencies = `SELECT task_id, blocker_id FROM alai_deps ${theirs} ORDER BY task_id, blocker_id`;
    for (const row of store.each(dependencies, ...params))
      yield { table: "dependency", row: { task: Number(row.task_id), blocker: Number(row.blocker_id) } };
    for (const row of store.each(`${evidenceSql(theirs)} ORDER BY task_id, min(id)`, ...params))
      yield { table: "evidence", row: readEvidence(row) };
    for (const row of store.each("SELECT * FROM alai_events WHERE seq > ? ORDER BY seq", after ?? 0))
      yield { table: "event", row: dumpEvent(readEvent(row)) };
  } catch (error) {
    throw fromSqlite(error, ledger.file);
  } finally {
    store.close();
  }
}

/** A condition for the tasks that the query is about, by this column; its one parameter is the event's number. */
function concerned(store: Store, { after, held }: DumpQuery, column: string): string {
  if (after === undefined) return "";
  const { id, lease_holder } = store.names;
  const holding = held
    ? ` UNION SELECT ${id} FROM tasks WHERE ${lease_holder} IS NOT NULL AND ${lease_holder} <> ''`
    : "";
  return `WHERE ${column} IN (SELECT task_id FROM alai_events WHERE seq > ? AND task_id IS NOT NULL${holding})`;
}

/** One task as a copy carries it, or null when it is not there. */
export function dumpTaskById(store: Store, id: number): DumpTask | null {
  const sql = store.sql("dump task", () => `${tasksSql(store)} WHERE t.${store.names.id} = ?`);
  const row = store.get(sql, id);
  return row ? readDumpTask(store, row) : null;
}

function tasksSql(store: Store): string {
  return `SELECT ${selectColumns(store.columns, LOGICAL_COLUMNS)}, 1 AS "$extra", t.* FROM tasks t`;
}

function readDumpTask(store: Store, row: Row): DumpTask {
  const ttl = Number(row.$lease_ttl ?? 0);
  return dumpTask(readTask(row, store.columns, 0), ttl > 0 ? ttl : null);
}

function readEvidence(row: Row) {
  return { task: Number(row.task_id), path: String(row.path), sha256: String(row.sha256), size: Number(row.size) };
}
