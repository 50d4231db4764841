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
import { Exit } from "../kit/errors.ts";
import { EXIT } from "../kit/exit.ts";
import { LONGEST_PAUSE } from "./pause.ts";

/** A lease, and the task's own status beside it. */
export interface Waited extends LeaseStatus {
  readonly status: Task["status"];
}

/** Waits until a task is free (or finished), or done. Throws `timed_out`. @param timeout milliseconds. */
export async function waitFor(
  ledger: Ledger,
  id: number,
  goal: "free" | "done",
  timeout: Millis,
  world: { identity(): Holder; interrupted: AbortSignal },
): Promise<Waited> {
  const end = monotonic() + timeout;
  for (;;) {
    const [lease] = await ledger.leaseStatus([id], world.identity());
    const [task] = await ledger.get([id]);
    if (lease && task && isReached(lease, task, goal)) return { ...lease, status: task.status };
    if (world.interrupted.aborted) throw new Exit(EXIT.interrupted, "interrupted", "Interrupted.");
    const left = end - monotonic();
    if (left <= 0)
      throw new Refusal(
        "timed_out",
        `Task ${id} is still ${lease?.state === "held" ? `held by ${lease.holder}` : "not done"}.`,
        { taskId: id },
      );
    await ledger.changed(Math.min(left, LONGEST_PAUSE));
  }
}

function isReached(lease: LeaseStatus, task: Task, goal: "free" | "done"): boolean {
  return (goal === "free" && lease.state !== "held") || CLOSED_STATUSES.includes(task.status as Status);
}
