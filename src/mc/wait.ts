import {
  CLOSED_STATUSES,
  type Holder,
  type LeaseStatus,
  type Ledger,
  type Millis,
  Refusal,
  type Status,
  type Task,
} from "@alai/core";
import { monotonic } from "@alai/core/monotonic";
import { Asking } from "./asking.ts";
import { orStop } from "./or-stop.ts";
import type { Waiting } from "./outage.ts";
import { LONGEST_PAUSE } from "./pause.ts";

/** A lease, and the task's own status beside it. */
export interface Waited extends LeaseStatus {
  readonly status: Task["status"];
}

/**
 * Waits until a task is free (or finished), or done, over outages of the server too. Throws `timed_out`, or `unavailable` when
 * the time, or the patience for an outage, is over while the server is away.
 * @param timeout milliseconds. @returns null when it was interrupted.
 */
export async function waitFor(
  ledger: Ledger,
  id: number,
  goal: "free" | "done",
  timeout: Millis,
  by: Holder,
  waiting: Waiting,
): Promise<Waited | null> {
  const { stop } = waiting;
  const end = monotonic() + timeout;
  const asking = new Asking(ledger, { ...waiting, until: end });
  while (!stop.aborted) {
    const found = await orStop(
      asking.ask((asked) => LOOK[goal](asked, id, by)),
      stop,
    ).catch(unlessStopped(stop));
    if (!found) continue;
    if (found.reached) return found.reached;
    const left = end - monotonic();
    if (left <= 0)
      throw new Refusal(
        "timed_out",
        `Task ${id} is still ${found.holder === null ? "not done" : `held by ${found.holder}`}.`,
        { taskId: id },
      );
    await asking.pause(Math.min(left, LONGEST_PAUSE));
  }
  return null;
}

/** What one look found. */
interface Found {
  /** Null: not yet. */
  readonly reached: Waited | null;
  /** Who holds the task, while somebody does. */
  readonly holder: string | null;
}

/**
 * One question of the ledger for as long as it is not reached. A task that is held is not finished: whoever finishes one gives
 * its lease up with it.
 */
const LOOK: Readonly<Record<"free" | "done", (ledger: Ledger, id: number, by: Holder) => Promise<Found>>> = {
  async free(ledger, id, by) {
    const [lease] = await ledger.leaseStatus([id], by);
    if (!lease || lease.state === "held") return { reached: null, holder: lease?.holder ?? null };
    const [task] = await ledger.get([id]);
    return { reached: task ? { ...lease, status: task.status } : null, holder: null };
  },
  async done(ledger, id, by) {
    const [task] = await ledger.get([id]);
    if (!task || !CLOSED_STATUSES.includes(task.status as Status))
      return { reached: null, holder: task?.lease_state === "held" ? task.lease_holder : null };
    const [lease] = await ledger.leaseStatus([id], by);
    return { reached: lease ? { ...lease, status: task.status } : null, holder: null };
  },
};

function unlessStopped(stop: AbortSignal): (error: unknown) => undefined {
  return (error) => {
    if (!stop.aborted) throw error;
  };
}
