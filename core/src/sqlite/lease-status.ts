import type { Holder } from "../holder.ts";
import type { LeaseStatus } from "../ledger.ts";
import { leaseStatusOf } from "../rules/lease-status.ts";
import type { Millis } from "../time.ts";
import { lockedTask } from "./locked-task.ts";
import type { Store } from "./store.ts";

/** Who holds a task now. */
export function statusOne(store: Store, now: Millis, id: number, holder: Holder): LeaseStatus {
  return leaseStatusOf(lockedTask(store, id), now, holder);
}
