import type { LedgerEvent } from "./event.ts";
import type { Evidence, Task } from "./task.ts";
import type { Millis } from "./time.ts";

/**
 * One row of a ledger as it leaves one store and enters another: the same content gives the same row on every store, so
 * that a copy can be compared with its source row by row.
 */
export type DumpRow =
  | { readonly table: "task"; readonly row: DumpTask }
  | { readonly table: "dependency"; readonly row: { readonly task: number; readonly blocker: number } }
  | { readonly table: "evidence"; readonly row: Evidence & { readonly task: number } }
  | { readonly table: "event"; readonly row: LedgerEvent };

/** A task without what is derived (`lease_state`) or has rows of its own (`blocked_by`, `evidence`). */
export type DumpTask = Omit<Task, "lease_state" | "blocked_by" | "evidence"> & {
  /** What renewals go by, milliseconds; null when it never was claimed. */
  readonly lease_ttl: Millis | null;
};

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

/** What `restore` made of a piece. */
export interface Restored {
  readonly added: number;
  /** There already, the same. */
  readonly same: number;
  /** There already, and different: left alone. */
  readonly different: readonly string[];
}

/** A ledger that can be copied whole. */
export interface Transferable {
  dumpHead(): Promise<DumpHead>;
  /** All rows of one moment: tasks by id, dependencies, evidence, events by number. */
  dump(): AsyncIterable<DumpRow>;
  /**
   * Writes rows as they are, ids and numbers kept; what is there stays as it is. Throws `constraint` when this ledger is
   * not a copy of `head.ledger` (or empty): two ledgers are never mixed.
   */
  restore(head: DumpHead, rows: readonly DumpRow[]): Promise<Restored>;
}
