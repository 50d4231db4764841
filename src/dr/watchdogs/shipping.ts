import type { Millis } from "@alai/core";
import { span } from "../../kit/when.ts";
import type { DatabaseReport, Pending } from "../report.ts";
import type { Watchdog, Watched, WatchedDatabase } from "./watched.ts";

/** Shorter than this is the ordinary way of a change: written, synced, listed. */
const ORDINARY: Millis = 15_000;
/** The first snapshot of a database of some hundred megabytes over a slow line. */
const FIRST_SNAPSHOT: Millis = 10 * 60_000;

/** How long a commit may wait to be seen in storage before it counts as stuck. */
function shippingPatience(poll: Millis, sync: Millis, rpo: Millis): Millis {
  return Math.min(Math.max(ORDINARY, 3 * poll + 2 * sync), Math.max(rpo, 2 * poll));
}

/** What Litestream does not even take up, or says why it cannot send, is stuck whenever the next listing comes. */
const STUCK: Millis = 20_000;

/**
 * Something was committed, and it does not come up in a listing of storage. Not Litestream's word: it calls itself replicating while
 * storage is frozen (facts §0.4).
 */
export const shippingStalled: Watchdog = ({ role, databases, now, poll, startedAt }) =>
  databases.flatMap(({ database, report }) => {
    if (role !== "primary" || report.state === "missing") return [];
    const { name } = database;
    if (report.shipped === null) {
      const never = report.committed !== null && report.state === "ok";
      if (!never || now - startedAt <= FIRST_SNAPSHOT) return [];
      return [finding(name, `Nothing of it has come up in storage for ${span(now - startedAt)}.`, report)];
    }
    const { pending } = report;
    if (!pending || !isStuck(pending, { database, now, poll, startedAt })) return [];
    return [
      finding(name, `What was committed in the last ${span(now - pending.since)} has not come up in storage.`, report),
    ];
  });

type Waiting = Pick<Watched, "now" | "poll" | "startedAt"> & Pick<WatchedDatabase, "database">;

/** An agent that was just started has not had the time to see what has come up: nothing counts from before. */
function isStuck({ since, untaken, why }: Pending, { database, now, poll, startedAt }: Waiting): boolean {
  const { syncInterval, tier } = database;
  const waited = (from: Millis) => now - Math.max(from, startedAt);
  const soon = Math.max(STUCK, 3 * syncInterval);
  if (why !== null && waited(since) > soon) return true;
  if (untaken !== null && waited(untaken) > soon) return true;
  return waited(since) > shippingPatience(poll, syncInterval, tier.rpo);
}

function finding(subject: string, what: string, { pending }: DatabaseReport) {
  const sentence = pending?.why ? `${what} ${pending.why}.` : what;
  return { kind: "shipping_stalled", subject, sentence } as const;
}
