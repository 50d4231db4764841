import { Refusal } from "./refusal.ts";
import { type Millis, toIsoSeconds } from "./time.ts";

/**
 * The lease's rules, with no store in them: what a locked row and the store's clock decide.
 * Every ledger takes the row first and asks here second (design.md, "The lease", 2).
 */

export type LeaseState = "free" | "held" | "expired";

export const DEFAULT_TTL: Millis = 10 * 60_000;
export const MIN_TTL: Millis = 1000;
export const MAX_TTL: Millis = 24 * 3_600_000;

/** The lease part of a row, as read under the write lock. */
export interface LeaseRow {
  readonly id: number;
  readonly holder: string | null;
  readonly until: Millis | null;
  readonly fence: number;
}

/** What the journal remembers of one holder on one task. */
export interface HolderMemory {
  /** The newest fence this holder acquired, or null when it never held the task. */
  readonly fence: number | null;
  /** True when the holder gave that fence up itself (released, done, …), so it is not a claimant any more. */
  readonly ended: boolean;
}

/**
 * `[acquired, until)`: at `until` itself the lease is over. Another program may keep a holder without an end: that is held
 * until it, or the holder, says otherwise. We never write one.
 */
export function isLive(row: LeaseRow, now: Millis): boolean {
  return row.holder !== null && (row.until === null || now < row.until);
}

/** FREE is split for people into `free` and `expired` (someone's lease ran out and nobody took it since). */
export function leaseState(row: LeaseRow, now: Millis): LeaseState {
  if (isLive(row, now)) return "held";
  return row.holder === null ? "free" : "expired";
}

/** `Task 99927 held by john:abc123 until 2026-05-08T12:30:00Z (432 s left)`. */
export function heldRefusal(row: LeaseRow, now: Millis, code: "held" | "not_holder" = "held"): Refusal {
  const { until } = row;
  const secondsLeft = until === null ? undefined : Math.max(0, Math.ceil((until - now) / 1000));
  const end = until === null ? "without an end" : `until ${toIsoSeconds(until)} (${secondsLeft} s left)`;
  return new Refusal(code, `Task ${row.id} held by ${row.holder} ${end}`, {
    taskId: row.id,
    lease: { holder: row.holder ?? undefined, until: until ?? undefined, secondsLeft, fence: row.fence },
    hint: "Wait until it is free, or pick another task: `alai mc next`.",
  });
}

function fencedRefusal(row: LeaseRow, now: Millis, fence: number): Refusal {
  const by = row.holder === null ? "" : `, ${isLive(row, now) ? "held" : "last held"} by ${row.holder}`;
  return new Refusal(
    "fenced",
    `Task ${row.id} has a newer claim (fence ${row.fence}${by}); yours was fence ${fence}.`,
    {
      taskId: row.id,
      lease: { holder: row.holder ?? undefined, until: row.until ?? undefined, fence: row.fence },
      hint: "Stop working on it: what you write now would overwrite the newer claim's work. Once that one is over, act on it as a new session: --session NAME.",
    },
  );
}

/** True when `me` holds the task now: claiming again is then a retry with the same fence (rule 5). Throws `held`. */
export function decideClaim(row: LeaseRow, me: string, now: Millis): { readonly again: boolean } {
  if (!isLive(row, now)) return { again: false };
  if (row.holder === me) return { again: true };
  throw heldRefusal(row, now);
}

/** A lease only gets longer by a retry or an extension. */
export function extendedUntil(row: LeaseRow, now: Millis, ttl: Millis): Millis {
  return Math.max(row.until ?? 0, now + ttl);
}

/** Extend asks for a live lease of one's own. Throws `not_holder`, `lease_expired` or `fenced`. */
export function decideExtend(
  row: LeaseRow,
  me: string,
  now: Millis,
  fence: number | undefined,
  memory: () => HolderMemory,
): void {
  if (fence !== undefined && fence !== row.fence) throw fencedRefusal(row, now, fence);
  if (isLive(row, now)) {
    if (row.holder !== me) throw heldRefusal(row, now, "not_holder");
    return;
  }
  const mine = row.holder === me || isUnended(memory(), row.fence);
  if (!mine)
    throw new Refusal("not_holder", `Task ${row.id} is not held by you (${me}); it is free.`, {
      taskId: row.id,
      hint: `Type \`alai mc claim ${row.id}\` to claim it.`,
    });
  throw new Refusal(
    "lease_expired",
    `Your lease on task ${row.id} ended${row.until === null ? "" : ` at ${toIsoSeconds(row.until)}`}; nobody has taken it since.`,
    { taskId: row.id, lease: { fence: row.fence }, hint: `Type \`alai mc claim ${row.id}\` to claim it again.` },
  );
}

/** True when the newest claim was this holder's and it did not give it up itself. */
function isUnended(memory: HolderMemory, fence: number): boolean {
  return memory.fence === fence && !memory.ended;
}

/** Release is always compare-and-set. `already` when it was free and this holder was the last. */
export function decideRelease(
  row: LeaseRow,
  me: string,
  now: Millis,
  fence: number | undefined,
  memory: () => HolderMemory,
): { readonly already: boolean } {
  if (fence !== undefined && fence !== row.fence) throw fencedRefusal(row, now, fence);
  if (row.holder === me) return { already: false };
  const mine = memory();
  if (row.holder === null && mine.fence === row.fence && row.fence > 0) return { already: true };
  if (mine.fence !== null && !mine.ended) throw fencedRefusal(row, now, mine.fence);
  if (isLive(row, now)) throw heldRefusal(row, now, "not_holder");
  throw new Refusal("not_holder", `Task ${row.id} is not held by you (${me}).`, {
    taskId: row.id,
    hint: `Type \`alai mc claim-status ${row.id}\` to see who held it.`,
  });
}

/**
 * Freshness gates done, edit and every other change: no live lease of someone else, and no claim newer than one's own.
 * A worker whose lease ran out but was not taken may finish; a superseded one may not (rule 3).
 * @param fence the fence the caller says it holds, if it says one.
 * @param memory what the journal knows of this holder; asked only when the row does not decide.
 */
export function decideWrite(
  row: LeaseRow,
  me: string,
  now: Millis,
  fence: number | undefined,
  memory: () => HolderMemory,
): void {
  if (fence !== undefined && fence !== row.fence) throw fencedRefusal(row, now, fence);
  if (row.holder === me) return;
  const mine = memory();
  const claimant = mine.fence !== null && !mine.ended;
  const superseded = claimant && (mine.fence !== row.fence || row.holder !== null);
  if (superseded && mine.fence !== null) throw fencedRefusal(row, now, mine.fence);
  if (isLive(row, now)) throw heldRefusal(row, now);
  if (fence !== undefined && row.holder !== null) throw fencedRefusal(row, now, fence);
}
