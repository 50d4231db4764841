import type { Millis, Task } from "@alai/core";
import type { Column, View } from "../../kit/output.ts";
import type { Style } from "../../kit/style.ts";
import { oneLine } from "../../kit/text.ts";
import { relative } from "../../kit/when.ts";
import { iso } from "./iso.ts";

/** How tasks are shown: fields, JSON, columns. */

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

/** What a table shows besides. */
export const TABLE_FIELDS: readonly (keyof Task)[] = ["blocked_by"];

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
    { header: "PROJECT", value: (task) => task.project ?? "", optional: true, expendable: 2 },
    { header: "OWNER", value: (task) => task.owner ?? "", optional: true, expendable: 3 },
    { header: "TAGS", value: (task) => task.tags.join(","), optional: true, expendable: 4 },
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
    {
      header: "WAITS FOR",
      value: (task) => task.blocked_by.map((id) => `#${id}`).join(" "),
      show: (task, style) => style.warn(task.blocked_by.map((id) => `#${id}`).join(" ")),
      only: "table",
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
