import type { LedgerEvent } from "./event.ts";
import type { Evidence, Task } from "./task.ts";
import type { Millis } from "./time.ts";

/**
 * One row of a ledger as it leaves one store and enters another: the same content gives the same row on every store, so
 * that a copy can be compared with its source row by row.
 */
export type DumpRow =
  | { readonly table: "task"; readonly row: DumpTask }
  | { readonly table: "dependency"; readonly row: DumpDependency }
  | { readonly table: "evidence"; readonly row: DumpEvidence }
  | { readonly table: "event"; readonly row: LedgerEvent };

/** A task without what is derived (`lease_state`) or has rows of its own (`blocked_by`, `evidence`). */
export type DumpTask = Omit<Task, "lease_state" | "blocked_by" | "evidence"> & {
  /** What renewals go by, milliseconds; null when it never was claimed. */
  readonly lease_ttl: Millis | null;
};

export interface DumpDependency {
  readonly task: number;
  readonly blocker: number;
}

export type DumpEvidence = Evidence & { readonly task: number };

/** What a whole ledger is, beside its rows. */
export interface DumpHead {
  readonly ledger: string;
  /** The newest event's number, and the newest store time. */
  readonly seq: number;
  readonly at: Millis;
  /** Up to here the journal is not complete. */
  readonly pruned: number;
  readonly rows: Readonly<Record<DumpRow["table"], number>>;
}

/** Which rows; without `after` all of them. */
export interface DumpQuery {
  /**
   * Only what came after this event: the tasks that later events name, as they are now and with all their dependencies and
   * evidence, and those events. Who puts them in place of what was there has the ledger of this moment. Throws `pruned` when
   * some of those events are not kept any more.
   */
  readonly after?: number | undefined;
  /** With `after`: tasks that have a holder too. A renewal moves the end of a lease, and not each one has an event. */
  readonly held?: boolean | undefined;
}

/**
 * A change of a row that was copied before: made only while `was` is what is there, so that nothing is lost that the copy
 * has of its own. A task is changed, a dependency or a piece of evidence is taken out.
 */
export type RowChange =
  | { readonly table: "task"; readonly row: DumpTask; readonly was: DumpTask }
  | { readonly table: "dependency"; readonly row: null; readonly was: DumpDependency }
  | { readonly table: "evidence"; readonly row: null; readonly was: DumpEvidence };

export type RestoreRow = DumpRow | RowChange;

/** What `restore` made of a piece. */
export interface Restored {
  readonly added: number;
  /** Rows that were changed or taken out. */
  readonly changed: number;
  /** There already, the same; or gone already. */
  readonly same: number;
  /** There already, and different: left alone. */
  readonly different: readonly string[];
}

/** A ledger that can be copied whole. */
export interface Transferable {
  dumpHead(): Promise<DumpHead>;
  /** Rows of one moment: tasks by id, dependencies, evidence, events by number. */
  dump(query?: DumpQuery): AsyncIterable<DumpRow>;
  /**
   * Writes rows as they are, ids and numbers kept; what is there stays as it is, unless a `RowChange` names it exactly. Throws
   * `constraint` when this ledger is not a copy of `head.ledger` (or empty): two ledgers are never mixed.
   */
  restore(head: DumpHead, rows: readonly RestoreRow[]): Promise<Restored>;
}
