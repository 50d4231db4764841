import type { Operation } from "./history.ts";

/**
 * All tasks share the ledger's clock, which never goes back. Where the clients' own clocks differ, an operation's store
 * time may be that of another client's write on another task; splitting by task would lose sight of it. This widens each
 * operation's bounds by what the others can have written: at least what was granted before its call, at most what any
 * operation called before its return can have read.
 */
export function withSharedClock(history: readonly Operation[]): Operation[] {
  const ceiling = runningMax(history.map(({ call, wallReturn }) => ({ at: call, value: wallReturn })));
  const floor = runningMax(history.flatMap(grantTime));
  return history.map((op) => ({
    ...op,
    wallCall: Math.max(op.wallCall, floor(op.call)),
    wallReturn: Math.max(op.wallReturn, op.return === null ? Number.POSITIVE_INFINITY : ceiling(op.return)),
  }));
}

/** A new claim is journalled, so the ledger's clock shows at least its time to whoever calls after its return. */
function grantTime({ kind, outcome, ttl = 0, return: at }: Operation) {
  if (kind !== "claim" || outcome?.type !== "granted" || outcome.idempotent || at === null) return [];
  return [{ at, value: outcome.until - ttl }];
}

/** The largest value at or before a moment; 0 when there is none. */
function runningMax(points: readonly { readonly at: bigint; readonly value: number }[]): (moment: bigint) => number {
  const sorted = [...points].sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  let most = 0;
  const values = sorted.map(({ value }) => {
    most = Math.max(most, value);
    return most;
  });
  return (moment) => {
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sorted[middle]?.at ?? 0n) <= moment) low = middle + 1;
      else high = middle;
    }
    return values[low - 1] ?? 0;
  };
}
