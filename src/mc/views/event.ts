import {
  type Changes,
  formatHolder,
  fromStoreTime,
  type LedgerEvent,
  type Millis,
  toIso,
  toIsoSeconds,
} from "@alai/core";
import type { View } from "../../kit/output.ts";
import type { Style } from "../../kit/style.ts";
import { oneLine, truncate } from "../../kit/text.ts";
import { relative } from "../../kit/when.ts";

/** How the journal is shown. */

export const EVENT_FIELDS = {
  seq: "the event's number: rises by one",
  task: "the task's number, or null",
  kind: "what happened",
  at: "time",
  actor: "who",
  session: "in which session",
  fence: "the task's fence then, or null",
  data: "more, kind by kind",
} as const;

export function eventJson(event: LedgerEvent): Record<keyof typeof EVENT_FIELDS, unknown> {
  return { ...event, at: toIso(event.at) };
}

export function eventView(now: Millis): View<LedgerEvent> {
  return {
    columns: [
      { header: "SEQ", value: (event) => String(event.seq), right: true },
      { header: "AT", value: (event) => toIso(event.at), show: (event, style) => style.dim(relative(event.at, now)) },
      { header: "TASK", value: (event) => (event.task === null ? "" : String(event.task)), right: true },
      { header: "WHAT", value: (event) => event.kind },
      { header: "BY", value: (event) => formatHolder(event) },
      { header: "FENCE", value: (event) => (event.fence === null ? "" : String(event.fence)), right: true },
      { header: "DETAIL", value: describeEvent, flexible: true },
    ],
    json: eventJson,
    empty: "Nothing has happened yet.",
  };
}

/** The least that the detail has. */
const READABLE = 16;
const DAY: Millis = 24 * 3_600_000;

/**
 * One event for a terminal where more are to come: every line has the same columns, as no table can know what comes. The time
 * is the clock's, because what was "2 s ago" when it was printed is not when it is read;
 * of what is older than a day the date.
 */
export function eventLine(event: LedgerEvent, style: Style, width: number, now: Millis): string {
  const { seq, task, kind, fence } = event;
  const [date = "", time = ""] = toIsoSeconds(event.at).split("T");
  const at = (now - event.at < DAY ? time : date).padEnd(10);
  const before = String(seq).padStart(5);
  const after = [
    (task === null ? "" : `#${task}`).padStart(6),
    oneLine(kind).padEnd(11),
    oneLine(formatHolder(event)).padEnd(16),
    (fence === null ? "" : String(fence)).padStart(3),
  ].join("  ");
  const taken = [before, at, after, ""].join("  ").length;
  const detail = truncate(oneLine(describeEvent(event)), Math.max(READABLE, width - taken));
  return [before, style.dim(at), after, detail].join("  ").trimEnd();
}

/** The part of an event that a person wants to read, on one line. */
export function describeEvent(event: LedgerEvent): string {
  const { text, reason, title, changes, blockers, prev_holder, undoes } = event.data;
  if (typeof text === "string") return text;
  if (changes) return [describeChanges(changes as Changes), reason].filter(Boolean).join(", ");
  if (Array.isArray(blockers)) return `waits for ${blockers.join(", ")}`;
  if (undoes) return `event ${undoes}`;
  return [reason, title, prev_holder && `after ${prev_holder}`].filter(Boolean).join(", ");
}

const TIMES = ["due", "deferred_until"];

/** When it was done is when the event was. */
function describeChanges(changes: Changes): string {
  return Object.entries(changes)
    .filter(([field]) => field !== "done_at")
    .map(([field, [, after]]) => `${field} → ${describeValue(field, after)}`)
    .join(", ");
}

function describeValue(field: string, value: unknown): string {
  if (value === null || value === undefined) return "none";
  const time = TIMES.includes(field) ? fromStoreTime(value) : null;
  if (time !== null) return toIso(time);
  return Array.isArray(value) ? value.join(",") : String(value);
}
