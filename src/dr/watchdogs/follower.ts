import type { Millis } from "@alai/core";
import { span } from "../../kit/when.ts";
import type { Watchdog, Watched } from "./watched.ts";

/** A long file takes its time over a slow line; a restore that has hung takes for ever. */
const LONGEST_WORK: Millis = 15 * 60_000;

/** How long a copy may be behind without moving: three looks at storage, which tells a hole from an upload under way. */
export function followerPatience(poll: Millis): Millis {
  return Math.max(3 * poll, 15_000);
}

/**
 * A copy that does not move while storage has more for it. Litestream's own `restore -f` stops in silence at a hole (facts §0.5);
 * whatever the cause, the remedy is a restore from the newest snapshot on. Storage that does not answer is no stall.
 */
export const followerStalled: Watchdog = (watched) =>
  watched.databases.flatMap(({ database, report, behindSince, working }) => {
    if (watched.role !== "standby" || behindSince === null || !isListedSince(watched, behindSince)) return [];
    const waited = watched.now - behindSince;
    if (waited <= (working ? LONGEST_WORK : followerPatience(watched.poll))) return [];
    const sentence = `The copy has stood still for ${span(waited)} while storage has more for it (it is at ${report.applied?.txid ?? 0}, storage at ${report.shipped?.txid ?? 0}).`;
    return [{ kind: "follower_stalled", subject: database.name, sentence }];
  });

/** Somebody has seen storage since: what was heard before the line went dead says nothing of now. */
function isListedSince({ listedAt, storageTrouble }: Watched, moment: Millis): boolean {
  return storageTrouble === null && listedAt !== null && listedAt >= moment;
}
