import type { Millis } from "@alai/core";

/** Requests to storage. Deleting costs nothing on Azure and S3, and is left out. */
export interface Requests {
  readonly write: number;
  readonly list: number;
  readonly read: number;
}

/** How one Litestream treats one database. */
export interface Replication {
  readonly sync: Millis;
  /** Between two changes; null: nothing changes. */
  readonly change: Millis | null;
  readonly snapshot: Millis;
  readonly l0Check: Millis;
  readonly verify: boolean;
  /** Intervals of levels 1, 2, 3. */
  readonly levels: readonly Millis[];
}

export const MINUTE: Millis = 60_000;
export const DAY: Millis = 86_400_000;

/** Litestream's own intervals (facts §1.1). */
export const DEFAULTS = {
  sync: 1000,
  snapshot: DAY,
  l0Check: 15_000,
  verify: false,
  levels: [30_000, 5 * MINUTE, 60 * MINUTE],
} as const;

/**
 * Measured with Litestream 0.5.17 against Azurite, four databases for 620 s each, through a counting gate: a check of L0 retention
 * lists twice; a compaction that has something to do lists three times, once more where it verifies itself; and within a minute of a
 * change a checkpoint writes a row of Litestream's own, which is one more file.
 */
const LISTS_PER_CHECK = 2;
const LISTS_PER_COMPACTION = 3;
const LISTS_TO_VERIFY = 1;
/** What levels that have nothing to do list, a minute. */
const IDLE_LISTS = 0.45;
const CHECKPOINT: Millis = MINUTE;
const READS_PER_HIGHER_COMPACTION = 1.5;

/** Requests a day of one Litestream for one database. */
export function replicationPerDay(one: Replication): Requests {
  const files = filesPerDay(one);
  const compactions = one.levels.map((interval) => Math.min(files, DAY / interval));
  const higher = sum(compactions.slice(1));
  const perCompaction = LISTS_PER_COMPACTION + (one.verify ? LISTS_TO_VERIFY : 0);
  const idle = (IDLE_LISTS * DAY) / MINUTE;
  return {
    write: files + sum(compactions) + (files > 0 ? DAY / one.snapshot : 0),
    list: (LISTS_PER_CHECK * DAY) / one.l0Check + sum(compactions) * perCompaction + idle,
    read: higher * READS_PER_HIGHER_COMPACTION,
  };
}

/** New files of level 0 a day: changes, at most one a sync, and those that checkpoints add. */
export function filesPerDay({ sync, change }: Pick<Replication, "sync" | "change">): number {
  if (change === null) return 0;
  const changes = DAY / Math.max(change, sync);
  return Math.min(DAY / sync, changes + Math.min(changes, DAY / CHECKPOINT));
}

export function add(...all: readonly Requests[]): Requests {
  return {
    write: sum(all.map(({ write }) => write)),
    list: sum(all.map(({ list }) => list)),
    read: sum(all.map(({ read }) => read)),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
