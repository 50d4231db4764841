import type {
  DumpDependency,
  DumpEvidence,
  DumpRow,
  DumpTask,
  LedgerEvent,
  Restored,
  RestoreRow,
  RowChange,
} from "@alai/core";
import { canonical, isSameRow, nameOfRow } from "@alai/core/dump-rows";

/** What became of one row. */
type Outcome = "added" | "changed" | "same" | "different";

/** What is there of all that a piece names. */
export interface Here {
  readonly tasks: readonly DumpTask[];
  /** Tasks by their dedup keys. */
  readonly keys: Map<string, number>;
  readonly dependencies: readonly DumpDependency[];
  readonly evidence: readonly DumpEvidence[];
  readonly events: readonly LedgerEvent[];
}

/** Rows without a name of their own: there or not. */
class Rows<T extends DumpDependency | DumpEvidence> {
  readonly #before: ReadonlyMap<string, T>;
  readonly #now: Map<string, T>;

  constructor(rows: readonly T[]) {
    this.#before = new Map(rows.map((row) => [canonical(row), row]));
    this.#now = new Map(this.#before);
  }

  /** False: it was there. */
  add(row: T): boolean {
    const key = canonical(row);
    if (this.#now.has(key)) return false;
    this.#now.set(key, row);
    return true;
  }

  /** False: it was not there. */
  remove(row: T): boolean {
    return this.#now.delete(canonical(row));
  }

  get added(): T[] {
    return [...this.#now].flatMap(([key, row]) => (this.#before.has(key) ? [] : [row]));
  }

  get removed(): T[] {
    return [...this.#before].flatMap(([key, row]) => (this.#now.has(key) ? [] : [row]));
  }
}

/** What a piece of a copy comes to, one row after the other, and what must be written then. */
export class Piece {
  readonly dependencies: Rows<DumpDependency>;
  readonly evidence: Rows<DumpEvidence>;
  readonly #tasks: Map<number, DumpTask>;
  readonly #keys: Map<string, number>;
  readonly #events: Map<number, LedgerEvent>;
  readonly #written = new Set<number>();
  readonly #told: LedgerEvent[] = [];

  constructor(here: Here) {
    this.#tasks = new Map(here.tasks.map((task) => [task.id, task]));
    this.#keys = here.keys;
    this.dependencies = new Rows(here.dependencies);
    this.evidence = new Rows(here.evidence);
    this.#events = new Map(here.events.map((event) => [event.seq, event]));
  }

  /** Tasks that are new, or not what they were. */
  get tasks(): DumpTask[] {
    return [...this.#written].flatMap((id) => this.#tasks.get(id) ?? []);
  }

  /** New ones. */
  get events(): readonly LedgerEvent[] {
    return this.#told;
  }

  take(rows: readonly RestoreRow[]): Restored {
    const counts = { added: 0, changed: 0, same: 0 };
    const different: string[] = [];
    for (const row of rows) {
      const outcome = "was" in row ? this.#change(row) : this.#add(row);
      if (outcome === "different") different.push(nameOfRow(row));
      else counts[outcome] += 1;
    }
    return { ...counts, different };
  }

  #add(row: DumpRow): Outcome {
    switch (row.table) {
      case "task":
        return this.#addTask(row.row);
      case "dependency":
        return this.dependencies.add(row.row) ? "added" : "same";
      case "evidence":
        return this.evidence.add(row.row) ? "added" : "same";
      case "event":
        return this.#addEvent(row.row);
    }
  }

  #change(change: RowChange): Outcome {
    switch (change.table) {
      case "task":
        return this.#changeTask(change.row, change.was);
      case "dependency":
        return this.dependencies.remove(change.was) ? "changed" : "same";
      case "evidence":
        return this.evidence.remove(change.was) ? "changed" : "same";
    }
  }

  #addTask(row: DumpTask): Outcome {
    const here = this.#tasks.get(row.id);
    if (here) return isSameRow(here, row) ? "same" : "different";
    return this.#put(row) ? "added" : "different";
  }

  #changeTask(row: DumpTask, was: DumpTask): Outcome {
    const here = this.#tasks.get(row.id);
    if (here && isSameRow(here, row)) return "same";
    if (!here || !isSameRow(here, was)) return "different";
    return this.#put(row) ? "changed" : "different";
  }

  /** False: its key is that of another task here. */
  #put(row: DumpTask): boolean {
    if (row.dedup_key) {
      const owner = this.#keys.get(row.dedup_key) ?? row.id;
      if (owner !== row.id) return false;
      this.#keys.set(row.dedup_key, row.id);
    }
    this.#tasks.set(row.id, row);
    this.#written.add(row.id);
    return true;
  }

  #addEvent(event: LedgerEvent): Outcome {
    const here = this.#events.get(event.seq);
    if (here) return isSameRow(here, event) ? "same" : "different";
    this.#events.set(event.seq, event);
    this.#told.push(event);
    return "added";
  }
}
