import { createHash } from "node:crypto";
import { toIso } from "@alai/core";
import { canonicalJson } from "./canonical.ts";
import type { AuditEntry, AuditRow } from "./entry.ts";

/** The end of a chain: what the next entry hangs on. */
export interface ChainHead {
  /** 0 when the chain is empty. */
  readonly seq: number;
  /** Hex. */
  readonly hash: string;
}

/** What the first entry hangs on. */
export const GENESIS: ChainHead = { seq: 0, hash: "0".repeat(64) };

/** `sha256(hash of the entry before, 32 bytes ‖ RFC 8785 JSON of the entry with its number)`, in hex. */
export function hashOf(previous: string, seq: number, { at, ...entry }: AuditEntry): string {
  const { subject, action, target, outcome, address, request_id, detail } = entry;
  const json = canonicalJson({
    seq,
    at: toIso(at),
    subject,
    action,
    target,
    outcome,
    address,
    request_id,
    detail,
  });
  return createHash("sha256").update(Buffer.from(previous, "hex")).update(json, "utf8").digest("hex");
}

/**
 * The end of a chain whose last rows these are. Its hash is of everything before it, and so tells for certain whether these very
 * rows stand in a chain.
 */
export function endOf(rows: readonly AuditRow[]): ChainHead | undefined {
  const last = rows.at(-1);
  return last && { seq: last.seq, hash: last.hash };
}

/** The entries as the rows that come behind `head`. */
export function link(head: ChainHead, entries: readonly AuditEntry[]): AuditRow[] {
  let { seq, hash } = head;
  return entries.map((entry) => {
    seq += 1;
    hash = hashOf(hash, seq, entry);
    return { ...entry, seq, hash };
  });
}
