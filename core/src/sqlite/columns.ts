import { STATUSES, type Status } from "../vocabulary.ts";

/** The columns of `tasks` by the ledger's own names. */
export const LOGICAL_COLUMNS = [
  "id",
  "title",
  "description",
  "status",
  "priority",
  "project",
  "owner",
  "tags",
  "parent",
  "due",
  "deferred_until",
  "dedup_key",
  "version",
  "created_at",
  "updated_at",
  "done_at",
  "lease_holder",
  "lease_until",
  "lease_ttl",
  "lease_fence",
  "attempts",
] as const;
export type Column = (typeof LOGICAL_COLUMNS)[number];

export const TIME_COLUMNS = ["due", "deferred_until", "created_at", "updated_at", "done_at", "lease_until"] as const;
export type TimeColumn = (typeof TIME_COLUMNS)[number];

/** How a file of another program writes times. */
export type TimeForm = "seconds" | "millis" | "iso";

/**
 * How a file stores what the ledger means. In a file of our own the identity; in an adopted one, where a column's name was
 * taken for something else, our own column beside it, and the file's own words where it has them.
 */
export interface ColumnMap {
  readonly names: Readonly<Record<Column, string>>;
  readonly tags: "json" | "comma";
  /** Columns in which the file keeps times in another form than ours: numbers since the epoch, or ISO text with T and Z. */
  readonly times: Readonly<Partial<Record<TimeColumn, TimeForm>>>;
  readonly statusWords: Readonly<Record<Status, string>>;
  /** What is written for priority 0 to 4. */
  readonly priorityWords: readonly (string | number)[];
  /** The id is not SQLite's rowid, so the next one must be computed. */
  readonly explicitIds: boolean;
}

export const OWN_COLUMNS: ColumnMap = {
  names: Object.fromEntries(LOGICAL_COLUMNS.map((name) => [name, name])) as Record<Column, string>,
  tags: "json",
  times: {},
  statusWords: Object.fromEntries(STATUSES.map((status) => [status, status])) as Record<Status, string>,
  priorityWords: [0, 1, 2, 3, 4],
  explicitIds: false,
};

/** An SQL identifier, quoted. */
export function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** An SQL text literal. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** The file's column names by ours, quoted for SQL. */
export function quotedNames({ names }: ColumnMap): Record<Column, string> {
  const pairs = LOGICAL_COLUMNS.map((column) => [column, quote(names[column])] as const);
  return Object.fromEntries(pairs) as Record<Column, string>;
}
