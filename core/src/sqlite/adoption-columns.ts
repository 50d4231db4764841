import type { DatabaseSync } from "node:sqlite";
import { StoreError } from "../refusal.ts";
import { fromStoreTime } from "../time.ts";
import { PRIORITY_SPELLINGS, readPriority, STATUS_SPELLINGS, STATUSES, type Status } from "../vocabulary.ts";
import {
  type Column,
  type ColumnMap,
  LOGICAL_COLUMNS,
  quote,
  TIME_COLUMNS,
  type TimeColumn,
  type TimeForm,
} from "./columns.ts";

/** Columns whose meaning must be exactly ours: another program's column of that name is never used for them. */
const CONTROL: readonly Column[] = ["version", "dedup_key", "lease_ttl", "lease_fence", "attempts"];

/** A column of the file, as SQLite describes it. */
export interface FoundColumn {
  readonly name: string;
  readonly type: string;
  readonly pk: number;
  /** 2 or 3: computed by SQLite, cannot be written. */
  readonly hidden: number;
}

/** How this file stores what the ledger means. Throws `not_a_ledger` when it cannot. */
export function mapColumns(db: DatabaseSync, file: string, found: readonly FoundColumn[]): ColumnMap {
  const computed = new Set(found.filter((column) => Number(column.hidden) > 0).map((column) => column.name));
  const byName = new Map(found.map((column) => [column.name.toLowerCase(), column.name]));
  const times: Partial<Record<TimeColumn, TimeForm>> = {};
  const names = Object.fromEntries(
    LOGICAL_COLUMNS.map((column) => {
      const theirs = byName.get(column);
      if (theirs === undefined) return [column, column];
      const usable = !computed.has(theirs) && canUse(db, file, column, theirs, times);
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

/** A name of ours that no column of the file has. */
export function freeName(taken: ReadonlyMap<string, unknown>, column: Column): string {
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
  times: Partial<Record<TimeColumn, TimeForm>>,
): boolean {
  if (CONTROL.includes(column)) return false;
  if (column === "parent") return isAll(db, name, "typeof(x) = 'integer'");
  if (!(TIME_COLUMNS as readonly string[]).includes(column)) return true;
  const values = distinct(db, name, -1)
    .map(({ value }) => value)
    .filter((value) => value !== null && value !== "");
  const readable = values.every((value) => fromStoreTime(value) !== null) && isReadByFilters(db, name);
  const numeric = values.filter((value) => typeof value === "number" || typeof value === "bigint");
  if (readable && numeric.length === 0) {
    // `lease_until` is always written in the ledger's own form: people's queries compare it as text.
    if (column !== "lease_until" && values.some((value) => String(value).includes("T")))
      times[column as TimeColumn] = "iso";
    return true;
  }
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

/** A value of a column and how many rows have it. */
export interface Distinct {
  readonly value: unknown;
  readonly n: number;
}

/** The values of a column, the most frequent first. */
export function distinct(db: DatabaseSync, name: string, limit = 500): Distinct[] {
  const statement = db.prepare(
    `SELECT ${quote(name)} AS value, count(*) AS n FROM tasks GROUP BY 1 ORDER BY 2 DESC LIMIT ?`,
  );
  statement.setReadBigInts(true);
  return statement.all(limit) as unknown as Distinct[];
}
