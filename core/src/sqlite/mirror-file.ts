import type { DumpRow, DumpTask } from "../dump.ts";
import { dumpEvent, isSameRow } from "../dump-rows.ts";
import type { LedgerEvent } from "../event.ts";
import { StoreError } from "../refusal.ts";
import { countRows, dumpTaskById } from "./dump.ts";
import { ledgerId, prunedThrough, writeMetaValue } from "./meta.ts";
import type { MirrorMark } from "./mirror.ts";
import { openStore } from "./open.ts";
import * as Rows from "./restore-rows.ts";
import { readEvent } from "./rows.ts";
import type { Store } from "./store.ts";

/** A mirror as it stands. */
export interface MirrorState extends MirrorMark {
  readonly ledger: string;
  readonly newest: LedgerEvent | null;
  readonly pruned: number;
  readonly rows: ReturnType<typeof countRows>;
}

/** A mirror, opened by who keeps it current. */
export class MirrorFile {
  readonly #store: Store;

  private constructor(store: Store) {
    this.#store = store;
  }

  static async open(file: string): Promise<MirrorFile> {
    return new MirrorFile(await openStore(file, { missing: "fail" }));
  }

  state(): Promise<MirrorState> {
    const store = this.#store;
    return store.read(() => {
      const newest = store.get("SELECT * FROM alai_events ORDER BY seq DESC LIMIT 1");
      const mark = store.get("SELECT value FROM alai_meta WHERE key = 'mirror'");
      return {
        ...(JSON.parse(String(mark?.value)) as MirrorMark),
        ledger: ledgerId(store),
        newest: newest ? dumpEvent(readEvent(newest)) : null,
        pruned: prunedThrough(store),
        rows: countRows(store),
      };
    });
  }

  /**
   * Puts the rows of a delta (`dump({ after })`) in place of what is here, in one transaction: whoever reads sees the server as it
   * was at one moment, before or after. Events that are here already are passed over.
   * @returns how many events came, and how many tasks are not as they were.
   */
  async apply(rows: readonly DumpRow[], mark: MirrorMark): Promise<{ events: number; tasks: number }> {
    const { columns } = this.#store;
    try {
      return await this.#store.write(() => {
        const counts = replaceRows(this.#store, rows);
        writeMetaValue(this.#store, "mirror", JSON.stringify(mark));
        return counts;
      });
    } catch (error) {
      this.#store.remap(columns);
      throw error;
    }
  }

  close(): void {
    this.#store.close();
  }
}

function replaceRows(store: Store, rows: readonly DumpRow[]): { events: number; tasks: number } {
  const newest = Number(store.get("SELECT max(seq) AS seq FROM alai_events")?.seq ?? 0);
  const before = new Map<number, DumpTask | null>();
  for (const { table, row } of rows) if (table === "task") before.set(row.id, empty(store, row.id));
  const counts = { events: 0, tasks: 0 };
  for (const row of rows) {
    if (row.table === "task") counts.tasks += Number(putTask(store, row.row, before.get(row.row.id) ?? null));
    else if (row.table === "event") counts.events += Number(addEvent(store, row.row, newest));
    else putBeside(store, row);
  }
  return counts;
}

function putBeside(store: Store, row: DumpRow & { readonly table: "dependency" | "evidence" }): void {
  if (row.table === "dependency") Rows.insertDependencyRow(store, row.row);
  else Rows.insertEvidenceRow(store, row.row);
}

/** @returns false for one that is here already. */
function addEvent(store: Store, event: LedgerEvent, newest: number): boolean {
  if (event.seq <= newest) return false;
  Rows.insertEventRow(store, event);
  return true;
}

/** Takes away what hangs on a task, and its key: two tasks may have changed theirs between themselves. @returns it as it was. */
function empty(store: Store, id: number): DumpTask | null {
  const here = dumpTaskById(store, id);
  store.run("DELETE FROM alai_deps WHERE task_id = ?", id);
  store.run("DELETE FROM alai_evidence WHERE task_id = ?", id);
  store.run(`UPDATE tasks SET ${store.names.dedup_key} = NULL WHERE ${store.names.id} = ?`, id);
  return here;
}

/** @returns true when the task is not as it was. */
function putTask(store: Store, row: DumpTask, here: DumpTask | null): boolean {
  if (!(here ? Rows.updateTask(store, row, here) : Rows.insertTask(store, row)))
    throw new StoreError(
      "corrupt",
      `${store.file} cannot take task ${row.id} of its server.`,
      "Remove the file; the next run copies all anew.",
    );
  return here === null || !isSameRow(here, row);
}
