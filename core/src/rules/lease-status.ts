import { formatHolder, type Holder } from "../holder.ts";
import { leaseState } from "../lease.ts";
import type { LeaseStatus } from "../ledger.ts";
import type { Millis } from "../time.ts";
import type { LockedTask } from "./locked-task.ts";

/** Who holds a task now, as `holder` sees it. */
export function leaseStatusOf(task: LockedTask, now: Millis, holder: Holder): LeaseStatus {
  const state = leaseState(task, now);
  return {
    id: task.id,
    title: task.title,
    state,
    holder: task.holder,
    until: task.until,
    fence: task.fence,
    seconds_left: task.holder === null || task.until === null ? null : Math.ceil((task.until - now) / 1000),
    mine: state === "held" && task.holder === formatHolder(holder),
  };
}
