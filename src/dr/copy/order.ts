import type { Published } from "./own-file.ts";

type Version = Pick<Published, "replica" | "txid" | "beat">;

/**
 * Why readers must not get a clone: it is older than what they have, and storage has what they have. Null: they may. Transactions
 * are counted anew with each epoch, and where somebody began a replica anew: there the heartbeat tells what is newer.
 * @param listed the newest transaction of the last listing; null: none has come yet.
 */
export function wouldGoBack(next: Version, before: Version | null, listed: number | null): string | null {
  if (before === null) return null;
  const [coming, there] = [epochOf(next), epochOf(before)];
  if (coming < there)
    return `it is of epoch ${coming}, and they have one of epoch ${there}. To let them have it all the same, move their file away`;
  if (!isBehind(next, before) || (listed !== null && listed < (before.txid ?? 0))) return null;
  return `it is at transaction ${next.txid}, and they have ${before.txid}`;
}

/** What to say of a clone that is older than what readers had, where storage itself is; null: it is not. */
export function wentBack(next: Version, before: Version | null): string | null {
  if (before === null || epochOf(next) !== epochOf(before)) return null;
  if (isBehind(next, before)) return `from transaction ${before.txid} to ${next.txid}`;
  const [now, then] = [next.beat, before.beat];
  if (now && then && now.epoch === then.epoch && now.seq < then.seq) return `from heartbeat ${then.seq} to ${now.seq}`;
  return null;
}

function isBehind(next: Version, before: Version): boolean {
  const isBeaten = next.beat !== null && before.beat !== null && next.beat.seq > before.beat.seq;
  return (next.txid ?? 0) < (before.txid ?? 0) && !isBeaten;
}

/** `e12/mc` is of epoch 12. */
function epochOf({ replica }: Version): number {
  return Number(/^e(\d+)\//.exec(replica)?.[1] ?? 0);
}
