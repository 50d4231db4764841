import type { SQLInputValue } from "node:sqlite";
import type { DumpHead, DumpRow, DumpTask, Restored } from "../dump.ts";
import { dumpEvent, isSameRow } from "../dump-rows.ts";
import type { LedgerEvent } from "../event.ts";
import { Refusal } from "../refusal.ts";
import { toStoreTime } from "../time.ts";
import { type Column, LOGICAL_COLUMNS, quote } from "./columns.ts";
import { countRows, dumpTaskById } from "./dump.ts";
import { hasMeta, ledgerId, prunedThrough, removeMeta, writeMetaValue } from "./meta.ts";
import { makeRoom } from "./restore-columns.ts";
import { readEvent, writeTags, writeTime } from "./rows.ts";
import type { Store } from "./store.ts";

/** What became of one row. */
type Outcome = "added" | "same" | "different";

/**
 * Writes a piece of a copy in one transaction. The first piece makes an empty ledger a copy, under the source's id; until
 * all of the source's rows are there it takes no other changes, whose numbers would be those of rows still to come.
 */
export async function restore(store: Store, head: DumpHead, rows: readonly DumpRow[]): Promise<Restored> {
  const { columns, whole } = store;
  try {
    return await store.write(() => {
      becomeCopy(store, head);
      const counts = { added: 0, same: 0 };
      const different: string[] = [];
      for (const row of rows) {
        const outcome = restoreRow(store, row);
        if (outcome === "different") different.push(nameOf(row));
        else counts[outcome] += 1;
      }
      noteProgress(store, head);
      return { ...counts, different };
    });
  } catch (error) {
    store.remap(columns);
    store.whole = whole;
    throw error;
  }
}

/** Throws `constraint` while rows of the source are missing; another connection may have brought them since. */
export async function requireWhole(store: Store): Promise<void> {
  store.whole = await store.read(() => !hasMeta(store, "restoring"));
  if (store.whole) return;
  throw new Refusal("constraint", `${store.file} is a copy that is not complete yet; it takes no changes.`, {
    hint: "Run the copy again: it goes on where it stopped.",
  });
}

function becomeCopy(store: Store, head: DumpHead): void {
  const own = ledgerId(store);
  if (own !== head.ledger) {
    if (Object.values(countRows(store)).some((count) => count > 0))
      throw new Refusal("constraint", `This ledger (${own}) is not a copy of ${head.ledger}: two are never mixed.`, {
        hint: "Copy into an empty ledger.",
      });
    writeMetaValue(store, "ledger", head.ledger);
    writeMetaValue(store, "restoring", "1");
  }
  // What is not complete at the source is not complete here, even where this journal has lines that the source dropped.
  writeMetaValue(store, "pruned", String(Math.max(prunedThrough(store), head.pruned)));
}

/** The newest event is always kept: with it here, numbers and time go on where the source's are. */
function noteProgress(store: Store, head: DumpHead): void {
  if (!hasMeta(store, "restoring")) return;
  const here = countRows(store);
  const tables = Object.keys(head.rows) as (keyof DumpHead["rows"])[];
  const seq = Number(store.get("SELECT max(seq) AS seq FROM alai_events")?.seq ?? 0);
  store.whole = seq >= head.seq && tables.every((table) => here[table] >= head.rows[table]);
  if (store.whole) removeMeta(store, "restoring");
}

function nameOf(row: DumpRow): string {
  if (row.table === "event") return `event ${row.row.seq}`;
  return row.table === "task" ? `task ${row.row.id}` : `${row.table} of task ${row.row.task}`;
}

function restoreRow(store: Store, row: DumpRow): Outcome {
  switch (row.table) {
    case "task":
      return restoreTask(store, row.row);
    case "dependency": {
      const sql = "INSERT OR IGNORE INTO alai_deps (task_id, blocker_id) VALUES (?, ?)";
      return store.run(sql, row.row.task, row.row.blocker).changes ? "added" : "same";
    }
    case "evidence": {
      const { task, path, sha256, size } = row.row;
      const values = [task, path, sha256, size];
      const there = "SELECT 1 FROM alai_evidence WHERE task_id = ? AND path = ? AND sha256 = ? AND size = ?";
      if (store.get(there, ...values)) return "same";
      store.run("INSERT INTO alai_evidence (task_id, path, sha256, size) VALUES (?, ?, ?, ?)", ...values);
      return "added";
    }
    case "event":
      return restoreEvent(store, row.row);
  }
}

function restoreTask(store: Store, row: DumpTask): Outcome {
  const here = dumpTaskById(store, row.id);
  if (here) return isSameRow(here, row) ? "same" : "different";
  const writable = makeRoom(store, Object.keys(row.extra));
  const ours = LOGICAL_COLUMNS.map((column) => [store.names[column], stored(store, column, row)] as const);
  const theirs = writable.map((name) => [quote(name), storedExtra(row.extra[name])] as const);
  const values = [...ours, ...theirs];
  const sql = `INSERT OR IGNORE INTO tasks (${values.map(([name]) => name).join(", ")}) VALUES (${values.map(() => "?").join(", ")})`;
  // Ignored: a rule of the file forbids it, for example its key is that of another task here by now.
  return store.run(sql, ...values.map(([, value]) => value)).changes ? "added" : "different";
}

/** What the source stores, its own words where it has them: so that it reads the same here. */
function stored(store: Store, column: Column, row: DumpTask): SQLInputValue {
  switch (column) {
    case "status":
      return row.status_raw ?? row.status;
    case "priority":
      return row.priority_raw ?? row.priority;
    case "tags":
      return writeTags(store.columns, row.tags);
    case "lease_fence":
      return row.fence;
    case "due":
    case "deferred_until":
    case "created_at":
    case "updated_at":
    case "done_at":
    case "lease_until":
      return writeTime(store.columns, column, row[column]);
    default:
      return row[column];
  }
}

function storedExtra(value: unknown): SQLInputValue {
  if (typeof value === "string" || typeof value === "number" || typeof value === "bigint") return value;
  return JSON.stringify(value);
}

function restoreEvent(store: Store, event: LedgerEvent): Outcome {
  const here = store.get("SELECT * FROM alai_events WHERE seq = ?", event.seq);
  if (here) return isSameRow(dumpEvent(readEvent(here)), event) ? "same" : "different";
  const { seq, task, kind, at, actor, session, fence, data } = event;
  store.run(
    "INSERT INTO alai_events (seq, task_id, kind, at, actor, session, fence, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    ...[seq, task, kind, toStoreTime(at), actor, session, fence],
    Object.keys(data).length > 0 ? JSON.stringify(data) : null,
  );
  return "added";
}
