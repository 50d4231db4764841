import {
  type Approval,
  formatHolder,
  type Grant,
  type LeaseStatus,
  type LedgerEvent,
  type Millis,
  type Released,
  type SweptLease,
  type Task,
  toIso,
} from "@alai/core";
import type { Column, View } from "../kit/output.ts";
import type { Style } from "../kit/style.ts";
import { oneLine } from "../kit/text.ts";
import { relative } from "../kit/when.ts";

/** How tasks, leases and events are shown: columns, sentences and JSON, each in one place. */

export const TASK_FIELDS = {
  id: "the task's number",
  title: "one line",
  description: "the long text, or null",
  status: "open, ready, paused, done or cancelled; another program's word when it is none of these",
  status_raw: "the stored word when it is spelled differently, or null",
  priority: "0 highest to 4, or null",
  priority_raw: "the stored priority when it is spelled differently, or null",
  project: "text or null",
  owner: "text or null",
  tags: "array of texts",
  parent: "id or null",
  blocked_by: "ids of the tasks it waits for",
  due: "time or null",
  deferred_until: "time or null",
  evidence: "array of {path, sha256, size}",
  dedup_key: "text or null",
  version: "rises with every change of content",
  created_at: "time or null",
  updated_at: "time or null",
  done_at: "time or null",
  lease_state: "free, held or expired",
  lease_holder: "actor:session, or null",
  lease_until: "time or null",
  fence: "rises with every new claim",
  attempts: "how often it was claimed",
  extra: "columns of an adopted file that alai does not know",
} as const;

function iso(ms: Millis | null): string | null {
  return ms === null ? null : toIso(ms);
}

export function taskJson(task: Task): Record<keyof typeof TASK_FIELDS, unknown> {
  return {
    ...task,
    due: iso(task.due),
    deferred_until: iso(task.deferred_until),
    created_at: iso(task.created_at),
    updated_at: iso(task.updated_at),
    done_at: iso(task.done_at),
    lease_until: iso(task.lease_until),
  };
}

const PRIORITY_STYLE: readonly (keyof Style)[] = ["bad", "warn", "accent", "dim", "dim"];

function showPriority(task: Task, style: Style): string {
  const text = task.priority === null ? (task.priority_raw ?? "") : `p${task.priority}`;
  return style[PRIORITY_STYLE[task.priority ?? 4] ?? "dim"](oneLine(text));
}

function showStatus(task: Task, style: Style): string {
  const word = oneLine(task.status_raw ?? task.status);
  if (task.status === "done") return style.good(word);
  return task.status === "cancelled" || task.status === "paused" ? style.dim(word) : word;
}

/** What the lines of `mc list` read from the store. */
export const LIST_FIELDS: readonly (keyof Task)[] = [
  "id",
  "status",
  "status_raw",
  "priority",
  "priority_raw",
  "title",
  "project",
  "owner",
  "tags",
  "due",
  "lease_holder",
  "lease_until",
  "lease_state",
];

/** @param now store or wall time, for relative times on a terminal. */
export function taskView(now: Millis): View<Task> {
  const held = (task: Task) => task.lease_state === "held";
  const columns: Column<Task>[] = [
    {
      header: "ID",
      value: (task) => String(task.id),
      show: (task, style) => style.strong(String(task.id)),
      right: true,
    },
    { header: "STATUS", value: (task) => task.status_raw ?? task.status, show: showStatus },
    { header: "PRI", value: (task) => String(task.priority ?? task.priority_raw ?? ""), show: showPriority },
    { header: "TITLE", value: (task) => task.title, flexible: true },
    { header: "PROJECT", value: (task) => task.project ?? "", optional: true },
    { header: "OWNER", value: (task) => task.owner ?? "", optional: true },
    { header: "TAGS", value: (task) => task.tags.join(","), optional: true },
    {
      header: "DUE",
      value: (task) => iso(task.due) ?? "",
      show: (task, style) => (task.due === null ? "" : style[task.due < now ? "bad" : "dim"](relative(task.due, now))),
      optional: true,
    },
    {
      header: "HELD BY",
      value: (task) => (held(task) ? (task.lease_holder ?? "") : ""),
      show: (task, style) =>
        held(task) && task.lease_until
          ? `${style.accent(oneLine(task.lease_holder ?? ""))} ${style.dim(relative(task.lease_until, now))}`
          : "",
      optional: true,
    },
    { header: "UNTIL", value: (task) => (held(task) ? (iso(task.lease_until) ?? "") : ""), only: "lines" },
  ];
  return { columns, json: taskJson, empty: "No tasks match." };
}

/** After a change: the id and what became of it. */
export function changedView(verb: string): View<Task> {
  return {
    columns: [
      { header: "ID", value: (task) => String(task.id) },
      { header: "STATUS", value: (task) => task.status_raw ?? task.status },
    ],
    json: taskJson,
    sentence: (task, style) => `${style.good("✓")} ${verb} ${style.strong(`#${task.id}`)} ${oneLine(task.title)}`,
  };
}

export const GRANT_FIELDS = {
  id: "the task's number",
  title: "one line",
  holder: "actor:session",
  fence: "the claim's number on this task: pass it on to what you write elsewhere",
  until: "when the lease ends",
  ttl_seconds: "how long it was granted for",
  idempotent: "true when this session held it already",
  previous: "whose lapsed lease was taken over, or null",
} as const;

export function grantJson({ ttl, ...grant }: Grant): Record<keyof typeof GRANT_FIELDS, unknown> {
  return { ...grant, until: toIso(grant.until), ttl_seconds: ttl / 1000 };
}

export function grantView(verb: string, now: Millis): View<Grant> {
  return {
    columns: [
      { header: "ID", value: (grant) => String(grant.id) },
      { header: "FENCE", value: (grant) => String(grant.fence) },
      { header: "HOLDER", value: (grant) => grant.holder },
      { header: "UNTIL", value: (grant) => toIso(grant.until) },
    ],
    json: grantJson,
    sentence: (grant, style) =>
      `${style.good("✓")} ${grant.idempotent ? "Already yours:" : verb} ${style.strong(`#${grant.id}`)} ${oneLine(grant.title)} ${style.dim(`as ${oneLine(grant.holder)}, fence ${grant.fence}, ends ${relative(grant.until, now)}`)}`,
  };
}

export const STATUS_FIELDS = {
  id: "the task's number",
  title: "one line",
  state: "free, held or expired (ran out, not taken since: anyone may claim it)",
  holder: "actor:session, the last one when expired, or null",
  until: "when the lease ends or ended, or null",
  fence: "the number of the newest claim",
  seconds_left: "whole seconds to the end, negative after it, or null",
  mine: "true when this session holds it",
} as const;

export function statusView(now: Millis): View<LeaseStatus> {
  const word = (status: LeaseStatus) => (status.state === "held" ? "held" : "available");
  return {
    columns: [
      { header: "ID", value: (status) => String(status.id) },
      { header: "STATE", value: word },
      { header: "HOLDER", value: (status) => status.holder ?? "" },
      { header: "UNTIL", value: (status) => iso(status.until) ?? "" },
      { header: "FENCE", value: (status) => String(status.fence) },
    ],
    json: (status) => ({ ...status, until: iso(status.until) }),
    sentence: (status, style) =>
      `${style.strong(`#${status.id}`)} ${statusSentence(status, style, now)} ${style.dim(oneLine(status.title))}`,
  };
}

function statusSentence(status: LeaseStatus, style: Style, now: Millis): string {
  const holder = oneLine(status.holder ?? "");
  const until = status.until ?? now;
  if (status.state === "held")
    return `${style.warn("held")} by ${style.accent(holder)}${status.mine ? " (you)" : ""}, ends ${relative(until, now)}, fence ${status.fence}`;
  if (status.state === "expired")
    return `${style.good("available")}: the lease of ${holder} ended ${relative(until, now)}`;
  return style.good("available");
}

export const RELEASED_FIELDS = {
  id: "the task's number",
  fence: "the claim that was given back",
  already_free: "true when it was free already and this session held it last",
} as const;

export const RELEASED_VIEW: View<Released> = {
  columns: [
    { header: "ID", value: (released) => String(released.id) },
    { header: "STATE", value: () => "available" },
  ],
  json: (released) => ({ ...released }),
  sentence: (released, style) =>
    `${style.good("✓")} ${released.already_free ? "Free already:" : "Released"} ${style.strong(`#${released.id}`)}`,
};

export const SWEPT_FIELDS = {
  id: "the task's number",
  title: "one line",
  holder: "whose lease ran out",
  until: "when it ran out",
  fence: "the number of the claim",
  released: "true when the holder was taken off",
} as const;

export function sweptView(now: Millis): View<SweptLease> {
  return {
    columns: [
      { header: "ID", value: (lease) => String(lease.id), right: true },
      { header: "HOLDER", value: (lease) => lease.holder },
      { header: "ENDED", value: (lease) => toIso(lease.until), show: (lease) => relative(lease.until, now) },
      { header: "STATE", value: (lease) => (lease.released ? "released" : "expired") },
      { header: "TITLE", value: (lease) => lease.title, flexible: true },
    ],
    json: (lease) => ({ ...lease, until: toIso(lease.until) }),
    empty: "No lease has run out.",
  };
}

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
  if (changes)
    return Object.entries(changes)
      .map(([field, [, after]]) => `${field} → ${JSON.stringify(after)}`)
      .join(", ");
  if (Array.isArray(blockers)) return `waits for ${blockers.join(", ")}`;
  if (undoes) return `event ${undoes}`;
  return [reason, title, prev_holder && `after ${prev_holder}`].filter(Boolean).join(", ");
}

export const APPROVAL_FIELDS = {
  id: "the task's number",
  reason: "why",
  until: "how long others may act on it",
  by: "who approved",
} as const;

export function approvalView(now: Millis): View<Approval> {
  return {
    columns: [
      { header: "ID", value: (approval) => String(approval.id) },
      { header: "UNTIL", value: (approval) => toIso(approval.until) },
    ],
    json: (approval) => ({ ...approval, until: toIso(approval.until) }),
    sentence: (approval, style) =>
      `${style.good("✓")} Approved: others may act on ${style.strong(`#${approval.id}`)}, ends ${relative(approval.until, now)}`,
  };
}
