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
      asking.ask((asked) => look(asked, id, by)),
      stop,
    ).catch(unlessStopped(stop));
    if (!found) continue;
    const { lease, task } = found;
    if (lease && task && isReached(lease, task, goal)) return { ...lease, status: task.status };
    const left = end - monotonic();
    if (left <= 0)
      throw new Refusal(
        "timed_out",
        `Task ${id} is still ${lease?.state === "held" ? `held by ${lease.holder}` : "not done"}.`,
        { taskId: id },
      );
    await asking.pause(Math.min(left, LONGEST_PAUSE));
  }
  return null;
}

async function look(ledger: Ledger, id: number, by: Holder) {
  const [lease] = await ledger.leaseStatus([id], by);
  const [task] = await ledger.get([id]);
  return { lease, task };
}

function unlessStopped(stop: AbortSignal): (error: unknown) => undefined {
  return (error) => {
    if (!stop.aborted) throw error;
  };
}

function isReached(lease: LeaseStatus, task: Task, goal: "free" | "done"): boolean {
  return (goal === "free" && lease.state !== "held") || CLOSED_STATUSES.includes(task.status as Status);
}
