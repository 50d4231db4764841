import { formatHolder, type Millis, type TaskDetail } from "@alai/core";
import type { Style } from "../kit/style.ts";
import { multiLine, oneLine } from "../kit/text.ts";
import { relative } from "../kit/when.ts";
import { describeEvent } from "./views/event.ts";

const RECENT = 15;

/** A task for a person: what it is, who holds it, what it hangs on, what happened. */
export function showTask(task: TaskDetail, style: Style, now: Millis): string {
  const lines = [
    `${style.strong(`#${task.id}`)} ${style.strong(oneLine(task.title))}`,
    ...facts(task, style, now).map(([label, value]) => `  ${style.dim(label.padEnd(12))}${value}`),
  ];
  if (task.description) lines.push("", indent(multiLine(task.description)));
  lines.push("", style.dim("  History"), ...history(task, style, now));
  return `${lines.join("\n")}\n`;
}

function facts(task: TaskDetail, style: Style, now: Millis): [string, string][] {
  const when = (at: Millis | null) => (at === null ? null : relative(at, now));
  const list = (ids: readonly number[]) => (ids.length === 0 ? null : ids.map((id) => `#${id}`).join(" "));
  const rows: [string, string | null][] = [
    ["status", task.status_raw ?? task.status],
    ["lease", lease(task, style, now)],
    ["priority", task.priority_raw ?? (task.priority === null ? null : `p${task.priority}`)],
    ["project", task.project],
    ["owner", task.owner],
    ["tags", task.tags.join(", ") || null],
    ["due", when(task.due)],
    ["deferred", when(task.deferred_until)],
    ["parent", task.parent === null ? null : `#${task.parent}`],
    ["children", list(task.children)],
    ["waits for", list(task.blocked_by)],
    ["blocks", list(task.blocks)],
    [
      "evidence",
      task.evidence.map((file) => `${file.path} (${file.size} B, sha256 ${file.sha256.slice(0, 12)})`).join(", ") ||
        null,
    ],
    ["dedup key", task.dedup_key],
    ["created", when(task.created_at)],
    ["done", when(task.done_at)],
    ["attempts", task.attempts === 0 ? null : String(task.attempts)],
    ...Object.entries(task.extra).map(([name, value]): [string, string | null] => [
      name,
      value === null ? null : String(value),
    ]),
  ];
  return rows.flatMap(([label, value]) =>
    value === null ? [] : [[oneLine(label), label === "lease" ? value : oneLine(value)] as [string, string]],
  );
}

function lease(task: TaskDetail, style: Style, now: Millis): string {
  const holder = style.accent(oneLine(task.lease_holder ?? ""));
  const until = task.lease_until ?? now;
  if (task.lease_state === "held") return `held by ${holder}, ends ${relative(until, now)}, fence ${task.fence}`;
  if (task.lease_state === "expired")
    return `${style.good("available")}: the lease of ${holder} ended ${relative(until, now)}, fence ${task.fence}`;
  return `${style.good("available")}${task.fence ? `, last fence ${task.fence}` : ""}`;
}

function history(task: TaskDetail, style: Style, now: Millis): string[] {
  const left = task.history.length - RECENT;
  const lines = task.history.slice(-RECENT).map((event) => {
    const detail = oneLine(describeEvent(event));
    return `  ${style.dim(relative(event.at, now).padEnd(12))}${event.kind.padEnd(12)}${oneLine(formatHolder(event))}${detail ? `  ${style.dim(detail)}` : ""}`;
  });
  return left > 0 ? [style.dim(`  … ${left} earlier: alai mc events --task ${task.id}`), ...lines] : lines;
}

function indent(text: string): string {
  return text
    .split("\n")
    .map((line) => `  ${line}`)
    .join("\n");
}
