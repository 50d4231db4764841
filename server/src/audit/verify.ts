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

export interface Walk {
  /** Every entry, in order. */
  readonly rows: AsyncIterable<AuditRow>;
  /** The chain's end as the store keeps it beside the entries. */
  readonly head: () => Promise<ChainHead | null>;
  /** The head of an earlier walk. */
  readonly remembered?: string | undefined;
}

/**
 * Walks the chain from its first entry; entries that are appended meanwhile are walked too. Whoever can rewrite the store
 * can rewrite the whole chain: only a head that was remembered elsewhere shows that, and that the end was cut off cleanly.
 */
export async function verifyChain({ rows, head, remembered }: Walk): Promise<Verdict> {
  const before = (await head()) ?? GENESIS;
  let { seq, hash } = GENESIS;
  let found = remembered === undefined || remembered === hash;
  const verdict = (broken: number | null, reason: string | null) => ({ count: seq, head: hash, broken, reason });
  for await (const row of rows) {
    if (row.seq !== seq + 1) return verdict(seq + 1, `the entry is missing; the next one there is ${row.seq}`);
    if (row.hash !== expected(hash, row)) return verdict(row.seq, "the entry is not what was written");
    seq = row.seq;
    hash = row.hash;
    if (seq === before.seq && hash !== before.hash) return verdict(seq, "the entry was written anew");
    found ||= hash === remembered;
  }
  if (seq < before.seq) return verdict(seq + 1, `the end is missing: there were ${before.seq} entries`);
  const after = (await head()) ?? GENESIS;
  if (seq > after.seq) return verdict(after.seq + 1, "the entry was added by another way");
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
