import { CLOSED_STATUSES, type Millis, type Status } from "@alai/core";
import type { View } from "../../kit/output.ts";
import { oneLine } from "../../kit/text.ts";
import type { Waited } from "../wait.ts";
import { STATUS_FIELDS, statusView } from "./lease.ts";

/** What a wait ended with: the lease's state, or that the task is finished. */

export const WAITED_FIELDS = {
  ...STATUS_FIELDS,
  status: "the task's own status: open, ready, paused, done, …",
} as const;

export function waitedView(now: Millis): View<Waited> {
  const lease = statusView(now);
  const isFinished = ({ status }: Waited) => CLOSED_STATUSES.includes(status as Status);
  return {
    columns: lease.columns.map((column) =>
      column.header === "STATE"
        ? { ...column, value: (waited) => (isFinished(waited) ? waited.status : column.value(waited)) }
        : column,
    ),
    json: (waited) => lease.json(waited),
    sentence: (waited, style) =>
      isFinished(waited)
        ? `${style.good("✓")} ${style.strong(`#${waited.id}`)} ${style.good(waited.status)} ${style.dim(oneLine(waited.title))}`
        : (lease.sentence?.(waited, style) ?? ""),
  };
}
