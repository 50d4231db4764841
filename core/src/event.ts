import type { Millis } from "./time.ts";

/** What can happen. `acquired` and `taken_over` raise the fence; nothing else does. */
export const EVENT_KINDS = [
  "adopted",
  "added",
  "imported",
  "edited",
  "noted",
  "acquired",
  "taken_over",
  "renewed",
  "released",
  "expired",
  "done",
  "ready",
  "paused",
  "reopened",
  "cancelled",
  "dep_added",
  "dep_removed",
  "approved",
  "undone",
] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

/** One line of the journal: written in the transaction of what it tells, gap-free, in commit order. */
export interface LedgerEvent {
  readonly seq: number;
  /** Null for what concerns the whole ledger. */
  readonly task: number | null;
  readonly kind: EventKind;
  readonly at: Millis;
  readonly actor: string;
  readonly session: string;
  readonly fence: number | null;
  /** Kind by kind: `changes` {field: [old, new]}, `text`, `reason`, `ttl`, `until`, `prev_holder`, `prev_until`, … */
  readonly data: Readonly<Record<string, unknown>>;
}

/** Fields and their values before and after; what `undo` reverses. */
export type Changes = Readonly<Record<string, readonly [before: unknown, after: unknown]>>;
