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

/** What `alai.lease_answer` gives: the row as it was locked, and what was done to it. */
export interface LeaseAnswer extends Holder {
  readonly title: string;
  readonly status: string;
  readonly status_raw: string | null;
  readonly holder: string | null;
  readonly until: Millis | null;
  readonly ttl: Millis;
  readonly fence: number;
  readonly waits: boolean;
  /** Open ones; null when there is none. */
  readonly blockers: readonly number[] | null;
  readonly my_fence: number | null;
  readonly my_end: boolean | null;
  readonly act: Act | null;
  readonly done: boolean;
  readonly wanted: Millis;
  readonly new_until: Millis | null;
}

/**
 * Words the answer for one task, or throws the refusal, by the lease's own rules. What the database did must be what they say.
 */
export function wordLease(
  verb: LeaseVerb,
  id: number,
  answer: LeaseAnswer | null,
  fence: Caller["fence"],
  now: Millis,
): Grant | Released {
  if (!answer) throw notFound(id);
  const locked = lockedFrom(id, answer);
  const memory = () => memoryFrom(answer);
  try {
    if (verb === "claim") return wordClaim(locked, answer, now);
    if (verb === "extend") return wordExtend(locked, answer, fence, now, memory);
    return wordRelease(locked, answer, fence, now, memory);
  } catch (error) {
    if (answer.act === null) throw error;
    throw new Error(`task ${id}: the database decided ${answer.act}, the rules did not`, { cause: error });
  }
}

/** The row after what was done to it, for the calls that came later in the same batch. */
export function afterwards(id: number, answer: LeaseAnswer): LockedTask {
  const before = lockedFrom(id, answer);
  if (!answer.done) return before;
  const released = answer.act === "release";
  const fence = answer.fence + (answer.act === "acquire" ? 1 : 0);
  return { ...before, holder: released ? null : formatHolder(answer), until: answer.new_until, fence };
}

function wordClaim(locked: LockedTask, answer: LeaseAnswer, now: Millis): Grant {
  const ttl = answer.wanted;
  if (decideClaim(locked, formatHolder(answer), now).again) {
    agree(locked, answer, "again", extendedUntil(locked, now, ttl));
    return renewedGrant(locked, answer, answer.new_until ?? 0, ttl, true);
  }
  requireOpen(locked);
  if (answer.blockers) throw blockedRefusal(locked.id, answer.blockers);
  agree(locked, answer, "acquire", now + ttl);
  return acquiredGrant(locked, answer, locked.fence + 1, answer.new_until ?? 0, ttl);
}

function wordExtend(
  locked: LockedTask,
  answer: LeaseAnswer,
  fence: Caller["fence"],
  now: Millis,
  memory: () => HolderMemory,
): Grant {
  decideExtend(locked, formatHolder(answer), now, fence, memory);
  agree(locked, answer, "extend", extendedUntil(locked, now, answer.wanted));
  return renewedGrant(locked, answer, answer.new_until ?? 0, answer.wanted, false);
}

function wordRelease(
  locked: LockedTask,
  answer: LeaseAnswer,
  fence: Caller["fence"],
  now: Millis,
  memory: () => HolderMemory,
): Released {
  const { already } = decideRelease(locked, formatHolder(answer), now, fence, memory);
  agree(locked, answer, already ? "already" : "release", null);
  return { id: locked.id, fence: locked.fence, already_free: already };
}

/** Two places decide, the database and the rules; they must say the same. */
function agree(locked: LockedTask, answer: LeaseAnswer, act: Act, until: Millis | null): void {
  if (answer.act === act && answer.new_until === until) return;
  throw new Error(
    `task ${locked.id}: the database decided ${answer.act} until ${answer.new_until}, the rules ${act} until ${until}`,
  );
}

function lockedFrom(id: number, answer: LeaseAnswer): LockedTask {
  const { title, status, status_raw, holder, until, ttl, fence, waits } = answer;
  return { id, title, status: readStatus(status), statusText: status_raw ?? status, holder, until, ttl, fence, waits };
}

function memoryFrom({ my_fence, my_end }: LeaseAnswer): HolderMemory {
  return { fence: my_fence, ended: my_end ?? true };
}
