import {
  type Caller,
  type Grant,
  type Holder,
  type HolderMemory,
  type Millis,
  notFound,
  type Released,
  readStatus,
} from "@alai/core";
import { formatHolder } from "@alai/core/holder";
import { decideClaim, decideExtend, decideRelease, extendedUntil } from "@alai/core/lease";
import { acquiredGrant, blockedRefusal, requireOpen } from "@alai/core/rules/claim";
import type { LockedTask } from "@alai/core/rules/locked-task";
import { renewedGrant } from "@alai/core/rules/renew";

export type LeaseVerb = "claim" | "extend" | "release";

type Act = "acquire" | "again" | "extend" | "release" | "already";

/** What `alai.take_leases` gives of a task: the row as it was locked, and what was done to it. */
export interface LeaseAnswer {
  readonly task: number;
  /** Null: there is no such task. */
  readonly title: string | null;
  readonly status: string;
  readonly status_raw: string | null;
  readonly holder: string | null;
  readonly until: Millis | null;
  readonly ttl: Millis;
  readonly fence: number;
  /** Of a claim: what it waits for and is open; null when nothing is. */
  readonly blockers: readonly number[] | null;
  readonly my_fence: number | null;
  readonly my_end: boolean | null;
  readonly act: Act | null;
  readonly wanted: Millis;
  readonly new_until: Millis | null;
}

/**
 * Words the answer for one task, or throws the refusal, by the lease's own rules. What the database did must be what they say.
 */
export function wordLease(
  verb: LeaseVerb,
  answer: LeaseAnswer,
  by: Holder & Pick<Caller, "fence">,
  now: Millis,
): Grant | Released {
  if (answer.title === null) throw notFound(answer.task);
  const locked = lockedFrom(answer);
  try {
    if (verb === "claim") return wordClaim(locked, answer, by, now);
    if (verb === "extend") return wordExtend(locked, answer, by, now);
    return wordRelease(locked, answer, by, now);
  } catch (error) {
    if (answer.act === null) throw error;
    throw new Error(`task ${answer.task}: the database decided ${answer.act}, the rules did not`, { cause: error });
  }
}

/** The row after it was done what was decided, for the calls that came later in the same batch. */
export function afterwards(answer: LeaseAnswer, by: Holder, done: boolean): LockedTask {
  const before = lockedFrom(answer);
  if (!done || answer.act === "already") return before;
  const released = answer.act === "release";
  const fence = answer.fence + (answer.act === "acquire" ? 1 : 0);
  return { ...before, holder: released ? null : formatHolder(by), until: answer.new_until, fence };
}

function wordClaim(locked: LockedTask, answer: LeaseAnswer, by: Holder, now: Millis): Grant {
  const ttl = answer.wanted;
  if (decideClaim(locked, formatHolder(by), now).again) {
    const until = agreed(answer, "again", extendedUntil(locked, now, ttl));
    return renewedGrant(locked, by, until, ttl, true);
  }
  requireOpen(locked);
  if (answer.blockers) throw blockedRefusal(locked.id, answer.blockers);
  return acquiredGrant(locked, by, locked.fence + 1, agreed(answer, "acquire", now + ttl), ttl);
}

function wordExtend(locked: LockedTask, answer: LeaseAnswer, by: Holder & Pick<Caller, "fence">, now: Millis): Grant {
  decideExtend(locked, formatHolder(by), now, by.fence, () => memoryOf(answer));
  const until = agreed(answer, "extend", extendedUntil(locked, now, answer.wanted));
  return renewedGrant(locked, by, until, answer.wanted, false);
}

function wordRelease(
  locked: LockedTask,
  answer: LeaseAnswer,
  by: Holder & Pick<Caller, "fence">,
  now: Millis,
): Released {
  const { already } = decideRelease(locked, formatHolder(by), now, by.fence, () => memoryOf(answer));
  agreed(answer, already ? "already" : "release", null);
  return { id: locked.id, fence: locked.fence, already_free: already };
}

/** Two places decide, the database and the rules: they must say the same. */
function agreed<T extends Millis | null>(answer: LeaseAnswer, act: Act, until: T): T {
  if (answer.act === act && answer.new_until === until) return until;
  throw new Error(
    `task ${answer.task}: the database decided ${answer.act} until ${answer.new_until}, the rules ${act} until ${until}`,
  );
}

function lockedFrom(answer: LeaseAnswer): LockedTask {
  const { task, title, status, status_raw, holder, until, ttl, fence } = answer;
  const statusText = status_raw ?? status;
  return {
    id: task,
    title: title ?? "",
    status: readStatus(status),
    statusText,
    holder,
    until,
    ttl,
    fence,
    waits: false,
  };
}

function memoryOf({ my_fence, my_end }: LeaseAnswer): HolderMemory {
  return { fence: my_fence, ended: my_end ?? true };
}
