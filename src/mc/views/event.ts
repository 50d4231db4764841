import { type Changes, formatHolder, fromStoreTime, type LedgerEvent, type Millis, toIso } from "@alai/core";
import type { View } from "../../kit/output.ts";
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
