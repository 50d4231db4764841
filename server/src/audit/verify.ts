import { type ChainHead, GENESIS, hashOf } from "./chain.ts";
import type { AuditRow } from "./entry.ts";

/** What a walk along the chain found. */
export interface Verdict {
  /** Entries that hold. */
  readonly count: number;
  /** Hash of the last entry that holds. */
  readonly head: string;
  /** The first number at which something is wrong; null when all holds. */
  readonly broken: number | null;
  /** What is wrong there. */
  readonly reason: string | null;
}

/**
 * Walks the chain from its first entry. Whoever can rewrite the store can rewrite the whole chain: only a head that was
 * remembered elsewhere shows that, and that the end was cut off.
 * @param recorded the head that the store itself keeps; @param remembered a head from an earlier walk.
 */
export async function verifyChain(
  rows: AsyncIterable<AuditRow>,
  recorded: ChainHead | null,
  remembered?: string,
): Promise<Verdict> {
  let { seq, hash } = GENESIS;
  let found = remembered === undefined || remembered === hash;
  const verdict = (broken: number | null, reason: string | null): Verdict => ({
    count: seq,
    head: hash,
    broken,
    reason,
  });
  for await (const row of rows) {
    if (row.seq !== seq + 1) return verdict(seq + 1, `the entry is missing; the next one there is ${row.seq}`);
    if (row.hash !== expected(hash, row)) return verdict(row.seq, "the entry is not what was written");
    seq = row.seq;
    hash = row.hash;
    found ||= hash === remembered;
  }
  if (recorded && (recorded.seq !== seq || recorded.hash !== hash))
    return verdict(seq + 1, `the end is missing: the chain had ${recorded.seq} entries`);
  if (!found)
    return verdict(seq + 1, "the remembered head is nowhere in the chain: its end was cut off, or it was rewritten");
  return verdict(null, null);
}

/** Null for a row that cannot even be hashed: a number where a text was, a time that is none. */
function expected(previous: string, row: AuditRow): string | null {
  try {
    return hashOf(previous, row.seq, row);
  } catch {
    return null;
  }
}
