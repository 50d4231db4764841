import {
  CLOSED_STATUSES,
  type Holder,
  type LeaseStatus,
  type Ledger,
  type Millis,
  Refusal,
  type Status,
} from "@alai/core";
import { monotonic } from "@alai/core/monotonic";
import { Exit } from "../kit/errors.ts";
import { EXIT } from "../kit/exit.ts";
import { LONGEST_PAUSE } from "./pause.ts";

/** Waits until a task is free (or finished), or done. Throws `timed_out`. @param timeout milliseconds. */
export async function waitFor(
  ledger: Ledger,
  id: number,
  goal: "free" | "done",
  timeout: Millis,
  world: { identity(): Holder; interrupted: AbortSignal },
): Promise<LeaseStatus> {
  const end = monotonic() + timeout;
  for (;;) {
    const [status] = await ledger.leaseStatus([id], world.identity());
    if (status && (await isReached(ledger, status, goal))) return status;
    if (world.interrupted.aborted) throw new Exit(EXIT.interrupted, "interrupted", "Interrupted.");
    const left = end - monotonic();
    if (left <= 0)
      throw new Refusal(
        "timed_out",
        `Task ${id} is still ${status?.state === "held" ? `held by ${status.holder}` : "not done"}.`,
        { taskId: id },
      );
    await ledger.changed(Math.min(left, LONGEST_PAUSE));
  }
}

async function isReached(ledger: Ledger, status: LeaseStatus, goal: "free" | "done"): Promise<boolean> {
  if (goal === "free" && status.state !== "held") return true;
  const [task] = await ledger.get([status.id]);
  return task !== undefined && CLOSED_STATUSES.includes(task.status as Status);
}
