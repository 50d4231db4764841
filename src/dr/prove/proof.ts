import type { Millis } from "@alai/core";
import { HEARTBEAT_TABLE } from "../heartbeat/beater.ts";
import type { Beat } from "../report.ts";

/** What one real restore of a database showed. It is of one epoch: what is in another epoch's replica it says nothing of. */
export interface Proof {
  readonly name: string;
  /** When it was made, by this machine's clock. */
  readonly at: Millis;
  /** Null: it was restored and everything was found good. */
  readonly problem: string | null;
  /**
   * Why it could not even be tried, by nothing that storage has or lacks: storage did not answer, this disk is full. Proves neither,
   * and is not kept.
   */
  readonly hindrance: Hindrance | null;
  /** The epoch that was read. */
  readonly epoch: number;
  /** The newest in storage; null: nothing was restored. */
  readonly txid: number | null;
  /** When the newest transaction in it was synced. */
  readonly time: Millis | null;
  /** Bytes of the database. */
  readonly size: number | null;
  readonly tables: readonly { readonly name: string; readonly rows: number | null }[];
  readonly beat: Beat | null;
  /** A restore to an earlier moment; null: storage has one moment only. */
  readonly sample: Sample | null;
  readonly took: Millis;
}

/** What stood in the way, as a command would end with it. */
export interface Hindrance {
  readonly message: string;
  /** What to do about it. */
  readonly hint: string | null;
  readonly exit: number;
  /** It did not fit beside the others, or not at all. */
  readonly isNoRoom: boolean;
}

export interface Sample {
  /** Asked for. */
  readonly at: Millis;
  /** What was restored. */
  readonly txid: number | null;
  readonly time: Millis | null;
  readonly problem: string | null;
}

/** Those that are neither Litestream's nor ours. */
export function serviceTables({ tables }: Pick<Proof, "tables">): Proof["tables"] {
  return tables.filter(({ name }) => name !== HEARTBEAT_TABLE && !name.startsWith("_litestream_"));
}

/** Rows of services' tables that can be counted. */
export function serviceRows(proof: Pick<Proof, "tables">): number {
  return rowsIn({ tables: serviceTables(proof) });
}

/** Rows of all tables that can be counted. */
export function rowsIn({ tables }: Pick<Proof, "tables">): number {
  return tables.reduce((sum, { rows }) => sum + (rows ?? 0), 0);
}
