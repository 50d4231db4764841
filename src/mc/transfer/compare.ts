import type { DumpRow, DumpTask, RowChange } from "@alai/core";
import { nameOfRow } from "@alai/core/dump-rows";
import { digestOf, keyOf, nameOfKey, type Side, TABLES, type Table } from "./rows.ts";

/** How one table compares. */
export interface Tally {
  readonly table: Table;
  source: number;
  target: number;
  same: number;
  /** Only in the source. */
  missing: number;
  different: number;
  /** Only in the target. */
  extra: number;
}

/** Dependencies and evidence that the source has no more. */
export type Removal = Exclude<RowChange, { table: "task" }>;

/** Row by row: what two ledgers have in common. */
export interface Comparison {
  readonly tables: readonly Tally[];
  readonly equal: boolean;
  /** The first rows that are not the same, by name. */
  readonly differences: readonly string[];
  /** Keys of the rows that the target has not. */
  readonly missing: ReadonlySet<string>;
  /** Tasks that are different, as the target has them. */
  readonly changed: ReadonlyMap<number, DumpTask>;
  /** What only the target has of these tables. */
  readonly surplus: readonly Removal[];
  /** Tasks with events that the target has not. */
  readonly news: ReadonlySet<number>;
  /** The first number of its journal at which the target tells something else than the source; null when it does nowhere. */
  readonly own: number | null;
}

/** Reads every row of both sides. @param seen called for each row, of either side. */
export async function compare(source: Side, target: Side, seen: () => void): Promise<Comparison> {
  const comparer = new Comparer();
  for await (const row of source.rows()) {
    comparer.addSource(row);
    seen();
  }
  for await (const row of target.rows()) {
    comparer.addTarget(row, source.head.pruned);
    seen();
  }
  return comparer.result();
}

const MOST_NAMES = 20;

/** Takes all rows of the source first, then all of the target. Keeps a digest a row. */
export class Comparer {
  readonly #tallies = new Map<Table, Tally>(TABLES.map((table) => [table, emptyTally(table)]));
  /** Of the source, and not met at the target yet. */
  readonly #left = new Map<string, string>();
  readonly #eventTasks = new Map<string, number>();
  readonly #differences: string[] = [];
  readonly #changed = new Map<number, DumpTask>();
  readonly #surplus: Removal[] = [];
  #own: number | null = null;

  addSource(row: DumpRow): void {
    const key = keyOf(row);
    this.#tally(row.table).source += 1;
    this.#left.set(key, digestOf(row));
    if (row.table === "event" && row.row.task !== null) this.#eventTasks.set(key, row.row.task);
  }

  /** @param pruned up to this event the source has dropped some, which the target may still have. */
  addTarget(row: DumpRow, pruned: number): void {
    const tally = this.#tally(row.table);
    tally.target += 1;
    const key = keyOf(row);
    const digest = this.#left.get(key);
    this.#left.delete(key);
    if (digest === undefined) {
      if (row.table === "event" && row.row.seq <= pruned) return;
      tally.extra += 1;
      this.#addExtra(row);
    } else if (digest === digestOf(row)) tally.same += 1;
    else {
      tally.different += 1;
      this.#addDifferent(row);
    }
  }

  result(): Comparison {
    for (const key of this.#left.keys()) {
      this.#tally(key.slice(0, key.indexOf(" ")) as Table).missing += 1;
      this.#name(nameOfKey(key), "missing");
    }
    const tables = [...this.#tallies.values()];
    const missing = new Set(this.#left.keys());
    return {
      tables,
      equal: tables.every((tally) => tally.missing + tally.different + tally.extra === 0),
      differences: this.#differences,
      missing,
      changed: this.#changed,
      surplus: this.#surplus,
      news: new Set([...missing].flatMap((key) => this.#eventTasks.get(key) ?? [])),
      own: this.#own,
    };
  }

  #addExtra(row: DumpRow): void {
    if (row.table === "dependency") this.#surplus.push({ table: row.table, row: null, was: row.row });
    if (row.table === "evidence") this.#surplus.push({ table: row.table, row: null, was: row.row });
    this.#addOwn(row);
    this.#name(nameOfRow(row), "only in the target");
  }

  #addDifferent(row: DumpRow): void {
    if (row.table === "task") this.#changed.set(row.row.id, row.row);
    this.#addOwn(row);
    this.#name(nameOfRow(row), "different");
  }

  #addOwn(row: DumpRow): void {
    if (row.table === "event") this.#own = Math.min(this.#own ?? row.row.seq, row.row.seq);
  }

  #name(name: string, what: string): void {
    if (this.#differences.length < MOST_NAMES) this.#differences.push(`${name}: ${what}`);
  }

  #tally(table: Table): Tally {
    return this.#tallies.get(table) as Tally;
  }
}

function emptyTally(table: Table): Tally {
  return { table, source: 0, target: 0, same: 0, missing: 0, different: 0, extra: 0 };
}
