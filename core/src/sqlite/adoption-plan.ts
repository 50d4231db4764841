import type { DatabaseSync } from "node:sqlite";
import { StoreError } from "../refusal.ts";
import { LIVE_STATUSES, readPriority, readStatus, type Status } from "../vocabulary.ts";
import { type Distinct, distinct, type FoundColumn, mapColumns } from "./adoption-columns.ts";
import { type Column, type ColumnMap, LOGICAL_COLUMNS, quote } from "./columns.ts";
import { readMeta } from "./migrate.ts";
import { COLUMN_TYPES, createBesideSql, REQUESTS_SQL } from "./schema.ts";

/** What adoption finds in a file and would add to it. Nothing is ever dropped, renamed or rewritten. */
export interface AdoptionPlan {
  readonly file: string;
  /** True when the file is a ledger of ours already: nothing to do. */
  readonly adopted: boolean;
  readonly journal_mode: string;
  readonly tasks: number;
  /** Tasks whose status means open work here. */
  readonly open: number;
  /** Columns to add, with their types. */
  readonly add_columns: readonly { readonly name: string; readonly type: string }[];
  /** The file's columns that the ledger uses as they are. */
  readonly use_columns: readonly string[];
  /** The file's columns that the ledger leaves alone and shows as `extra`. */
  readonly keep_columns: readonly string[];
  /** Statements to run, in order. */
  readonly statements: readonly string[];
  /** The file's words that are understood as ours: `in_progress` → `open`. */
  readonly words: Readonly<Record<string, string>>;
  /** The file's words that are not understood: shown as they are. */
  readonly unknown_words: readonly string[];
  readonly columns: ColumnMap;
}

/** Makes the plan for an open file. Throws StoreError when it cannot be adopted. */
export function makePlan(db: DatabaseSync, file: string): AdoptionPlan {
  requireIntact(db, file);
  const adopted = readMeta(db);
  const found = readColumns(db, file);
  const columns = adopted?.columns ?? mapColumns(db, file, found);
  const physical = new Set(found.map((column) => column.name.toLowerCase()));
  const add = adopted ? [] : LOGICAL_COLUMNS.filter((column) => !physical.has(columns.names[column].toLowerCase()));
  const add_columns = add.map((column) => ({
    name: columns.names[column],
    type: COLUMN_TYPES[column as Exclude<Column, "id">],
  }));
  const ours = new Set(Object.values(columns.names).map((name) => name.toLowerCase()));
  const statuses = distinct(db, columns.names.status);
  const priorities = physical.has(columns.names.priority.toLowerCase()) ? distinct(db, columns.names.priority) : [];
  return {
    file,
    adopted: adopted !== null,
    journal_mode: String((db.prepare("PRAGMA journal_mode").get() as { journal_mode: string }).journal_mode),
    tasks: count(statuses),
    open: count(statuses.filter(({ value }) => LIVE_STATUSES.includes(readStatus(value) as Status))),
    add_columns,
    use_columns: found.map((column) => column.name).filter((name) => ours.has(name.toLowerCase())),
    keep_columns: found.map((column) => column.name).filter((name) => !ours.has(name.toLowerCase())),
    statements: adopted
      ? []
      : [
          ...add_columns.map(({ name, type }) => `ALTER TABLE tasks ADD COLUMN ${quote(name)} ${type}`),
          ...createBesideSql(columns),
          ...REQUESTS_SQL,
        ],
    words: understood(statuses, priorities),
    unknown_words: [
      ...statuses.filter(({ value }) => readStatus(value) === null),
      ...priorities.filter(({ value }) => value !== null && readPriority(value) === null),
    ].map(({ value }) => String(value)),
    columns,
  };
}

/** A damaged file is not written to: what is wrong with it could spread. */
function requireIntact(db: DatabaseSync, file: string): void {
  const [first] = db.prepare("PRAGMA quick_check(1)").all() as { quick_check: string }[];
  if (first?.quick_check === "ok") return;
  throw new StoreError(
    "corrupt",
    `${file} is damaged: ${first?.quick_check ?? "no answer"}.`,
    "Restore it from a backup; it was not touched.",
  );
}

function readColumns(db: DatabaseSync, file: string): FoundColumn[] {
  const table = db
    .prepare("SELECT type FROM pragma_table_list WHERE schema = 'main' AND name = 'tasks' COLLATE NOCASE")
    .get() as { type: string } | undefined;
  const columns = db
    .prepare("SELECT name, type, pk, hidden FROM pragma_table_xinfo('tasks') WHERE hidden <> 1")
    .all() as unknown as FoundColumn[];
  const names = new Set(columns.map((column) => column.name.toLowerCase()));
  const missing = ["id", "title", "status"].filter((name) => !names.has(name));
  if (table?.type === "table" && missing.length === 0) return columns;
  const why = table?.type === "table" ? `its tasks table has no ${missing.join(", ")}` : "it has no tasks table";
  throw new StoreError(
    "not_a_ledger",
    `${file} is no ledger: ${why}.`,
    "A ledger has a table tasks with at least id, title and status.",
  );
}

function count(values: readonly Distinct[]): number {
  return values.reduce((sum, { n }) => sum + Number(n), 0);
}

function understood(statuses: readonly Distinct[], priorities: readonly Distinct[]): Record<string, string> {
  const pairs = [
    ...statuses.map(({ value }) => [String(value), readStatus(value)] as const),
    ...priorities.map(({ value }) => [String(value), readPriority(value)] as const),
  ];
  return Object.fromEntries(
    pairs.filter(([word, ours]) => ours !== null && word !== String(ours)).map(([word, ours]) => [word, String(ours)]),
  );
}
