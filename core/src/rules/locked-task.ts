import type { LeaseRow } from "../lease.ts";
import type { Millis } from "../time.ts";
import type { Status } from "../vocabulary.ts";

/** What every lease verb reads of a task, under the lock. */
export interface LockedTask extends LeaseRow {
  readonly title: string;
  readonly status: Status | null;
  readonly statusText: string;
  /** What the lease was granted for, or the default where it never was. */
  readonly ttl: Millis;
  /** It has blockers, open or not. */
  readonly waits: boolean;
}
