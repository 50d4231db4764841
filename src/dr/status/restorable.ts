import { type LtxFile, newestTxid } from "../ltx/name.ts";
import { planTo } from "../ltx/plan.ts";

/**
 * Whether the files of a replica lead from nothing to its newest transaction, by their names alone: nothing is read.
 * @returns null, or a sentence why they do not. Storage that was emptied under a running Litestream has only what came after, and the
 * newest TXID in it looks as good as ever.
 */
export function whyNotRestorable(files: readonly LtxFile[]): string | null {
  const newest = newestTxid(files);
  const plan = planTo(files, 0, newest);
  if (plan.kind === "way") return null;
  if (plan.after === 0) return "Storage cannot restore it: no whole image of it is there.";
  return `Storage cannot restore it to transaction ${newest}: what is there breaks off after transaction ${plan.after}.`;
}
