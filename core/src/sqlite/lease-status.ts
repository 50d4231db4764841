import { formatHolder, type Holder } from "../holder.ts";
import { leaseState } from "../lease.ts";
import type { LeaseStatus } from "../ledger.ts";
import type { Millis } from "../time.ts";
import { lockedTask } from "./locked-task.ts";
import type { Store } from "./store.ts";

/** Who holds a task now. */
export function statusOne(store: Store, now: Millis, id: number, holder: Holder): LeaseStatus {
  const task = lockedTask(store, id);
  const state = leaseState(task, now);
  return {
    id,
    title: task.title,
    state,
    holder: task.holder,
    until: task.until,
    fence: task.fence,
    seconds_left: task.holder === null || task.until === null ? null : Math.ceil((task.until - now) / 1000),
    mine: state === "held" && task.holder === formatHolder(holder),
  };
}
