import { formatHolder } from "../holder.ts";
import { decideWrite, type HolderMemory, type LeaseRow } from "../lease.ts";
import type { Caller } from "../ledger.ts";
import { Refusal } from "../refusal.ts";
import type { Millis } from "../time.ts";

/**
 * Checks that the caller may change a task (freshness, rule 3). Throws `held` or `fenced`; a caller that asked for no
 * enforcement is told instead.
 */
export function requireWritable(row: LeaseRow, caller: Caller, now: Millis, memory: () => HolderMemory): void {
  try {
    decideWrite(row, formatHolder(caller), now, caller.fence, memory);
  } catch (error) {
    if (!(error instanceof Refusal) || !caller.unenforced) throw error;
    caller.unenforced(error);
  }
}
