import { priorityColumns, type TaskRow } from "./rows.ts";

const TEXTS = ["description", "project", "owner"] as const;

/** What is stored where it is not what we would write for the same value: undo puts it back as it was. Null: nothing is. */
export function rawValuesOf(row: TaskRow, fields: readonly string[]): Record<string, string> | null {
  const raw: Record<string, string> = {};
  for (const field of TEXTS) if (fields.includes(field) && row[field] === "") raw[field] = "";
  if (fields.includes("priority") && row.priority_raw !== null) raw.priority = row.priority_raw;
  return Object.keys(raw).length > 0 ? raw : null;
}

/** Words of another program that our own writing would not give back. Forms that this store does not keep are left out. */
export function withRawValues(row: TaskRow, raw: Readonly<Record<string, string | number>>): TaskRow {
  const texts = Object.fromEntries(TEXTS.filter((field) => field in raw).map((field) => [field, String(raw[field])]));
  return { ...row, ...texts, ...(raw.priority !== undefined && priorityColumns(raw.priority)) };
}
