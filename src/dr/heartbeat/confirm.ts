import type { Beat, DatabaseReport, Head, Proven } from "../report.ts";

/**
 * Whether a heartbeat that came back out of storage is one that this primary wrote, and so stands for what is in its database. Where
 * somebody else writes the same replica, the copy has that one's. A primary that tells none of its own is taken at its number alone.
 */
export function isOwnBeat({ epoch, seq, at }: Beat, { beats }: Pick<DatabaseReport, "beats">): boolean {
  return beats === undefined || beats.some((own) => own.epoch === epoch && own.seq === seq && own.at === at);
}

/**
 * Until when everything that was committed has come back out of storage, for a database in which nothing has happened since its last
 * heartbeat: the copy holds that very heartbeat, and the position that the primary had at that moment. Null when it does not.
 * @param applied of the standby's working copy. @param committed of the primary.
 */
export function confirmedUntil(applied: Head | null, committed: Head | null): Proven | null {
  if (!applied?.beat || !committed?.beat || committed.txid === null || applied.txid === null) return null;
  const isSameBeat = applied.beat.epoch === committed.beat.epoch && applied.beat.seq >= committed.beat.seq;
  if (!isSameBeat || applied.txid < committed.txid || committed.time === null) return null;
  return { until: committed.time, txid: committed.txid };
}
