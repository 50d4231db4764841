import { existsSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import type { Caller } from "../ledger.ts";
import { StoreError } from "../refusal.ts";
import { fromStoreTime } from "../time.ts";
import {
  LIVE_STATUSES,
  PRIORITY_SPELLINGS,
  readPriority,
  readStatus,
  STATUS_SPELLINGS,
  STATUSES,
  type Status,
} from "../vocabulary.ts";
import { backUp } from "./backup.ts";
import { type Column, type ColumnMap, LOGICAL_COLUMNS, quote, TIME_COLUMNS, type TimeColumn } from "./columns.ts";
import { fromSqlite } from "./errors.ts";
import { applyMigrations, readMeta } from "./migrate.ts";
import { connect } from "./open.ts";
import { DEFAULT_BUSY_LIMIT, retryBusy } from "./retry.ts";
import { COLUMN_TYPES, createBesideSql } from "./schema.ts";

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

/** Columns whose meaning must be exactly ours: another program's column of that name is never used for them. */
const CONTROL: readonly Column[] = ["version", "dedup_key", "lease_ttl", "lease_fence", "attempts"];

interface FoundColumn {
  readonly name: string;
  readonly type: string;
  readonly pk: number;
}

/**
 * Looks at a file made by another program. Opens it read-only.
 * Throws StoreError: `not_a_ledger`, `corrupt`, `locked`, `unavailable`.
 */
export async function planAdoption(file: string, busyLimit = DEFAULT_BUSY_LIMIT): Promise<AdoptionPlan> {
  if (!existsSync(file)) throw new StoreError("unavailable", `There is no file ${file}.`, "Name the file to adopt.");
  try {
    const db = await connect(file, busyLimit, true);
    try {
      return await retryBusy(() => makePlan(db, file), busyLimit);
    } finally {
      db.close();
    }
  } catch (error) {
    throw fromSqlite(error, file);
  }
}

/**
 * Makes another program's file a ledger, in place and in one transaction, after a backup copy beside it.
 * The plan is made again under the write lock. @returns the plan that was carried out and the backup's path.
 */
export async function adopt(
  file: string,
  caller: Caller,
  options: { busyLimit?: number; clock?: () => number } = {},
): Promise<{ plan: AdoptionPlan; backup: string | null }> {
  const busyLimit = options.busyLimit ?? DEFAULT_BUSY_LIMIT;
  const first = await planAdoption(file, busyLimit);
  if (first.adopted) return { plan: first, backup: null };
  try {
    const db = await connect(file, busyLimit);
    try {
      return await carryOut(db, file, caller, busyLimit, options.clock ?? Date.now);
    } finally {
      db.close();
    }
  } catch (error) {
    throw fromSqlite(error, file);
  }
}

async function carryOut(db: DatabaseSync, file: string, caller: Caller, busyLimit: number, clock: () => number) {
  await retryBusy(() => db.exec("BEGIN IMMEDIATE"), busyLimit);
  try {
    const plan = makePlan(db, file);
    if (plan.adopted) {
      db.exec("ROLLBACK");
      return { plan, backup: null };
    }
    const backup = backUp(file, "before-adoption");
    for (const { name, type } of plan.add_columns) db.exec(`ALTER TABLE tasks ADD COLUMN ${quote(name)} ${type}`);
    applyMigrations(db, plan.columns, 0);
    recordAdoption(db, plan, caller, clock());
    await retryBusy(() => db.exec("COMMIT"), busyLimit);
    return { plan, backup };
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK");
    throw error;
  }
}

function recordAdoption(db: DatabaseSync, plan: AdoptionPlan, caller: Caller, now: number): void {
  const data = { tasks: plan.tasks, open: plan.open, added: plan.add_columns.map((column) => column.name) };
  db.prepare(
    "INSERT INTO alai_events (seq, task_id, kind, at, actor, session, fence, data) VALUES (1, NULL, 'adopted', ?, ?, ?, NULL, ?)",
  ).run(new Date(now).toISOString().replace("T", " ").slice(0, 23), caller.actor, caller.session, JSON.stringify(data));
}

function makePlan(db: DatabaseSync, file: string): AdoptionPlan {
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
    .prepare("SELECT name, type, pk FROM pragma_table_xinfo('tasks') WHERE hidden <> 1")
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

function mapColumns(db: DatabaseSync, file: string, found: readonly FoundColumn[]): ColumnMap {
  const byName = new Map(found.map((column) => [column.name.toLowerCase(), column.name]));
  const times: Partial<Record<TimeColumn, "seconds" | "millis">> = {};
  const names = Object.fromEntries(
    LOGICAL_COLUMNS.map((column) => {
      const theirs = byName.get(column);
      if (theirs === undefined) return [column, column];
      const usable = canUse(db, file, column, theirs, times);
      return [column, usable ? theirs : freeName(byName, column)];
    }),
  ) as Record<Column, string>;
  requireIntegerIds(db, file, names.id);
  return {
    names,
    tags: tagsForm(db, byName.get("tags")),
    times,
    statusWords: statusWords(distinct(db, names.status)),
    priorityWords: priorityWords(byName.has("priority") ? distinct(db, names.priority) : []),
    explicitIds: !isRowid(db, found),
  };
}

function freeName(taken: ReadonlyMap<string, string>, column: Column): string {
  let name = `alai_${column}`;
  while (taken.has(name)) name += "_";
  return name;
}

/** True when the file's column means what ours of that name means. Notes the unit of numeric times in `times`. */
function canUse(
  db: DatabaseSync,
  file: string,
  column: Column,
  name: string,
  times: Partial<Record<TimeColumn, "seconds" | "millis">>,
): boolean {
  if (CONTROL.includes(column)) return false;
  if (column === "parent") return isAll(db, name, "typeof(x) = 'integer'");
  if (!(TIME_COLUMNS as readonly string[]).includes(column)) return true;
  const values = distinct(db, name, -1)
    .map(({ value }) => value)
    .filter((value) => value !== null && value !== "");
  const readable = values.every((value) => fromStoreTime(value) !== null) && isReadByFilters(db, name);
  const numeric = values.filter((value) => typeof value === "number" || typeof value === "bigint");
  if (readable && numeric.length === 0) return true;
  if (readable && numeric.length === values.length) {
    times[column as TimeColumn] = values.some((value) => Number(value) > 1e11) ? "millis" : "seconds";
    return true;
  }
  if (column !== "lease_until") return false;
  throw new StoreError(
    "not_a_ledger",
    `${file}: ${quote(name)} holds values that are no times, so who holds what cannot be known.`,
    "Clear or repair these values with the program that wrote them.",
  );
}

/** True when SQLite reads the texts as times too: what a filter takes for free must be free. */
function isReadByFilters(db: DatabaseSync, name: string): boolean {
  return isAll(db, name, "typeof(x) <> 'text' OR x = '' OR strftime('%s', x, 'auto') IS NOT NULL");
}

function requireIntegerIds(db: DatabaseSync, file: string, name: string): void {
  const repeated = db.prepare(`SELECT ${quote(name)} AS id FROM tasks GROUP BY 1 HAVING count(*) > 1 LIMIT 1`).get();
  if (!repeated && isAll(db, name, "typeof(x) = 'integer' AND x BETWEEN 1 AND 2147483647") && !hasNull(db, name))
    return;
  throw new StoreError(
    "not_a_ledger",
    `${file}: the ids of its tasks are not distinct whole numbers from 1 up.`,
    "Such a file cannot be adopted; import it with `alai mc import`.",
  );
}

function hasNull(db: DatabaseSync, name: string): boolean {
  return db.prepare(`SELECT 1 FROM tasks WHERE ${quote(name)} IS NULL LIMIT 1`).get() !== undefined;
}

/** True when every value that is there passes `test` over `x`. */
function isAll(db: DatabaseSync, name: string, test: string): boolean {
  return (
    db
      .prepare(`SELECT 1 FROM (SELECT ${quote(name)} AS x FROM tasks) WHERE x IS NOT NULL AND NOT (${test}) LIMIT 1`)
      .get() === undefined
  );
}

/** True when SQLite gives new ids by itself. */
function isRowid(db: DatabaseSync, found: readonly FoundColumn[]): boolean {
  const table = db
    .prepare("SELECT wr FROM pragma_table_list WHERE schema = 'main' AND name = 'tasks' COLLATE NOCASE")
    .get() as { wr: number };
  const keys = found.filter((column) => column.pk > 0);
  const [key] = keys;
  return (
    keys.length === 1 &&
    key?.name.toLowerCase() === "id" &&
    key.type.toUpperCase() === "INTEGER" &&
    Number(table.wr) === 0
  );
}

interface Distinct {
  readonly value: unknown;
  readonly n: number;
}

function distinct(db: DatabaseSync, name: string, limit = 500): Distinct[] {
  const statement = db.prepare(
    `SELECT ${quote(name)} AS value, count(*) AS n FROM tasks GROUP BY 1 ORDER BY 2 DESC LIMIT ?`,
  );
  statement.setReadBigInts(true);
  return statement.all(limit) as unknown as Distinct[];
}

function count(values: readonly Distinct[]): number {
  return values.reduce((sum, { n }) => sum + Number(n), 0);
}

function tagsForm(db: DatabaseSync, name: string | undefined): "json" | "comma" {
  if (name === undefined) return "json";
  const texts = distinct(db, name)
    .map(({ value }) => String(value ?? ""))
    .filter(Boolean);
  return texts.length > 0 && texts.every((text) => !text.startsWith("[")) ? "comma" : "json";
}

/** The word to write for each status: ours, unless the file has another for it and never ours. */
function statusWords(found: readonly Distinct[]): Record<Status, string> {
  const bySpelling = new Map(found.map(({ value }) => [String(value).trim().toLowerCase(), String(value)]));
  return Object.fromEntries(
    STATUSES.map((status) => {
      const spelling = STATUS_SPELLINGS[status].find((word) => bySpelling.has(word));
      return [status, spelling === undefined ? status : (bySpelling.get(spelling) ?? status)];
    }),
  ) as Record<Status, string>;
}

/** The value to write for each priority: a word where the file keeps words, else the number. */
function priorityWords(found: readonly Distinct[]): (string | number)[] {
  const values = found.map(({ value }) => value).filter((value) => value !== null && value !== "");
  const usesWords = values.some((value) => typeof value === "string" && !/^\d+$/.test(value));
  return PRIORITY_SPELLINGS.map((spellings, n) => {
    const theirs = values.find((value) => readPriority(value) === n);
    if (theirs !== undefined && usesWords) return String(theirs);
    const named = spellings.find((word) => word.length > 2) ?? n;
    return usesWords ? named : n;
  });
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
