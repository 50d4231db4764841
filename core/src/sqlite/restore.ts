import type { DumpHead, DumpRow, DumpTask, Restored, RestoreRow, RowChange } from "../dump.ts";
import { dumpEvent, isSameRow, nameOfRow } from "../dump-rows.ts";
import type { LedgerEvent } from "../event.ts";
import { Refusal } from "../refusal.ts";
import { countRows, dumpTaskById } from "./dump.ts";
import { hasMeta, ledgerId, prunedThrough, removeMeta, writeMetaValue } from "./meta.ts";
import * as Rows from "./restore-rows.ts";
import { readEvent } from "./rows.ts";
import type { Store } from "./store.ts";

/** What became of one row. */
type Outcome = "added" | "changed" | "same" | "different";

/**
 * Writes a piece of a copy in one transaction. The first piece makes an empty ledger a copy, under the source's id; until
 * all of the source's rows are there it takes no other changes, whose numbers would be those of rows still to come.
 */
export async function restore(store: Store, head: DumpHead, rows: readonly RestoreRow[]): Promise<Restored> {
  const { columns, whole } = store;
  try {
    return await store.write(() => {
      becomeCopy(store, head);
      const counts = { added: 0, changed: 0, same: 0 };
      const different: string[] = [];
      for (const row of rows) {
        const outcome = "was" in row ? changeRow(store, row) : restoreRow(store, row);
        if (outcome === "different") different.push(nameOfRow(row));
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

function restoreRow(store: Store, row: DumpRow): Outcome {
  switch (row.table) {
    case "task":
      return restoreTask(store, row.row);
    case "dependency":
      return Rows.insertDependencyRow(store, row.row) ? "added" : "same";
    case "evidence":
      return Rows.insertEvidenceRow(store, row.row) ? "added" : "same";
    case "event":
      return restoreEvent(store, row.row);
  }
}

function changeRow(store: Store, change: RowChange): Outcome {
  switch (change.table) {
    case "task":
      return changeTask(store, change.row, change.was);
    case "dependency":
      return Rows.deleteDependencyRow(store, change.was) ? "changed" : "same";
    case "evidence":
      return Rows.deleteEvidenceRow(store, change.was) ? "changed" : "same";
  }
}

function restoreTask(store: Store, row: DumpTask): Outcome {
  const here = dumpTaskById(store, row.id);
  if (here) return isSameRow(here, row) ? "same" : "different";
  return Rows.insertTask(store, row) ? "added" : "different";
}

function changeTask(store: Store, row: DumpTask, was: DumpTask): Outcome {
  const here = dumpTaskById(store, row.id);
  if (here && isSameRow(here, row)) return "same";
  if (!here || !isSameRow(here, was)) return "different";
  return Rows.updateTask(store, row, here) ? "changed" : "different";
}

function restoreEvent(store: Store, event: LedgerEvent): Outcome {
  const here = store.get("SELECT * FROM alai_events WHERE seq = ?", event.seq);
  if (here) return isSameRow(dumpEvent(readEvent(here)), event) ? "same" : "different";
  Rows.insertEventRow(store, event);
  return "added";
}
