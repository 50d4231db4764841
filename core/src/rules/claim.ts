import { formatHolder, type Holder } from "../holder.ts";
import type { Grant } from "../ledger.ts";
import { Refusal } from "../refusal.ts";
import type { Millis } from "../time.ts";
import { LIVE_STATUSES } from "../vocabulary.ts";
import type { EventDraft } from "./draft.ts";
import type { LockedTask } from "./locked-task.ts";

/** Only work that is neither finished nor put aside can be claimed. Throws `not_open`. */
export function requireOpen(task: LockedTask): void {
  if (task.status && LIVE_STATUSES.includes(task.status)) return;
  throw new Refusal("not_open", `Task ${task.id} is ${task.statusText}; only open or ready tasks can be claimed.`, {
    taskId: task.id,
    hint: `Type \`alai mc reopen ${task.id}\` to open it again.`,
  });
}

/** @param blockers the tasks it waits for that are not closed, by id. */
export function blockedRefusal(id: number, blockers: readonly number[]): Refusal {
  return new Refusal("blocked", `Task ${id} waits for ${blockers.map((blocker) => `task ${blocker}`).join(", ")}.`, {
    taskId: id,
    hint: `Type \`alai mc show ${blockers[0]}\` to see what it waits for.`,
  });
}

/** A new lease: what the journal says of it. @param task as it was before. */
export function acquiredEvent(task: LockedTask, by: Holder, fence: number, until: Millis, ttl: Millis): EventDraft {
  const takenOver = task.holder !== null;
  return {
    task: task.id,
    kind: takenOver ? "taken_over" : "acquired",
    by,
    fence,
    data: {
      ttl,
      until,
      ...(takenOver && { prev_holder: task.holder, prev_until: task.until, prev_fence: task.fence }),
    },
  };
}

/** A new lease: what its holder is told. @param task as it was before. */
export function acquiredGrant(task: LockedTask, by: Holder, fence: number, until: Millis, ttl: Millis): Grant {
  const holder = formatHolder(by);
  return { id: task.id, title: task.title, holder, fence, until, ttl, idempotent: false, previous: task.holder };
}
