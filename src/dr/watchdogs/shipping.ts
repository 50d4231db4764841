import type { Millis } from "@alai/core";
import { span } from "../../kit/when.ts";
import type { DatabaseReport } from "../report.ts";
import type { Watchdog } from "./watched.ts";

/** Shorter than this is the ordinary way of a change: written, synced, listed. */
const ORDINARY: Millis = 15_000;
/** The first snapshot of a database of some hundred megabytes over a slow line. */
const FIRST_SNAPSHOT: Millis = 10 * 60_000;

/** How long a commit may wait to be seen in storage before it counts as stuck. */
export function shippingPatience(poll: Millis, sync: Millis, rpo: Millis): Millis {
  return Math.min(Math.max(ORDINARY, 3 * poll + 2 * sync), Math.max(rpo, 2 * poll));
}

/**
 * Commits go on, and nothing of them comes up in a listing of storage. Not Litestream's word: it calls itself replicating while
 * storage is frozen (facts §0.4).
 */
export const shippingStalled: Watchdog = ({ role, databases, now, poll, startedAt }) =>
  databases.flatMap(({ database, report }) => {
    if (role !== "primary" || report.state === "missing") return [];
    const { syncInterval, tier, name } = database;
    const pending = pendingSince(report);
    if (pending !== null && now - pending > shippingPatience(poll, syncInterval, tier.rpo))
      return [finding(name, `What was committed in the last ${span(now - pending)} has not come up in storage.`)];
    const never = report.shipped === null && report.committed !== null && report.state === "ok";
    if (never && now - startedAt > FIRST_SNAPSHOT)
      return [finding(name, `Nothing of it has come up in storage for ${span(now - startedAt)}.`)];
    return [];
  });

/** The moment from which on commits are not in storage; null: all that is known of are, or none was ever there. */
export function pendingSince({ committed, shipped }: DatabaseReport): Millis | null {
  if (!committed || shipped?.time == null) return null;
  const more = (committed.txid ?? 0) > (shipped.txid ?? 0) || (committed.beat?.at ?? 0) > shipped.time;
  return more ? shipped.time : null;
}

function finding(subject: string, sentence: string) {
  return { kind: "shipping_stalled", subject, sentence } as const;
}
