import type { DumpTask, RestoreRow } from "@alai/core";
import { isSameRow } from "@alai/core/dump-rows";
import type { Comparison } from "./compare.ts";
import { keyOf, type Side } from "./rows.ts";

/** How many rows are brought over, and how. */
export interface Brought {
  added: number;
  changed: number;
  removed: number;
}

/**
 * The rows that make the target what the source is: those it has not, and changes of those that only the source has touched
 * since they were copied. What the target has of its own is never among them.
 */
export async function* rowsToBring(source: Side, found: Comparison, brought: Brought): AsyncGenerator<RestoreRow> {
  let removed = false;
  for await (const row of source.rows()) {
    // Before the events that tell of it, as the dump has its rows.
    if (row.table === "event" && !removed) {
      removed = true;
      yield* outdated(found, brought);
    }
    if (found.missing.has(keyOf(row))) {
      brought.added += 1;
      yield row;
    } else if (row.table === "task") {
      const was = found.changed.get(row.row.id);
      if (!was || !isNewer(row.row, was, found.news.has(was.id))) continue;
      brought.changed += 1;
      yield { ...row, was };
    }
  }
}

/** Dependencies and evidence that the source took away from a task, and whose events the target has not got yet. */
function* outdated({ surplus, news }: Comparison, brought: Brought): Generator<RestoreRow> {
  for (const row of surplus) {
    if (!news.has(row.was.task)) continue;
    brought.removed += 1;
    yield row;
  }
}

/**
 * True when the target has an earlier state of this very task. The journal says so: the source tells more of the task, and
 * the target (whose journal tells nothing of its own, or nothing is brought) is not ahead in version, fence or lease. A lease
 * that was made longer need not have an event: it only ever gets longer under one fence.
 */
export function isNewer(row: DumpTask, was: DumpTask, news: boolean): boolean {
  const renewedThere =
    row.fence === was.fence && (was.lease_until ?? 0) > (row.lease_until ?? 0) && row.lease_holder !== null;
  if (renewedThere || row.version < was.version || row.fence < was.fence) return false;
  return news || isRenewal(row, was);
}

function isRenewal(row: DumpTask, was: DumpTask): boolean {
  const { lease_until, lease_ttl } = row;
  return lease_until !== null && was.lease_holder !== null && isSameRow(row, { ...was, lease_until, lease_ttl });
}
