import type { SQLInputValue } from "node:sqlite";
import { afterCursor, type Cursor } from "../cursor.ts";
import { type OrderTerm, orderTerms } from "../order.ts";
import type { Sort, TaskFilter } from "../query.ts";
import { type Millis, toStoreTime } from "../time.ts";
import {
  CLOSED_STATUSES,
  LIVE_STATUSES,
  PRIORITY_SPELLINGS,
  readStatus,
  STATUS_SPELLINGS,
  type Status,
} from "../vocabulary.ts";
import { type Column, type ColumnMap, quote, quoteText, type TimeColumn } from "./columns.ts";

/** An SQL condition over `tasks t` with its parameters, in order. */
export interface Condition {
  readonly sql: string;
  readonly params: readonly SQLInputValue[];
}

/** Builds conditions for one file's columns at one store time. */
export class Filters {
  readonly #map: ColumnMap;
  readonly #now: Millis;

  constructor(map: ColumnMap, now: Millis) {
    this.#map = map;
    this.#now = now;
  }

  where(filter: TaskFilter): Condition {
    const parts = [...this.#plain(filter), ...this.#lease(filter)];
    if (parts.length === 0) return { sql: "1", params: [] };
    return { sql: parts.map((part) => `(${part.sql})`).join(" AND "), params: parts.flatMap((part) => part.params) };
  }

  /** Open work that nobody holds, that waits for nothing and is not put off. */
  claimable(): Condition {
    const deferred = this.time("deferred_until");
    return {
      sql: `${this.statusIn(LIVE_STATUSES)} AND NOT (${this.#live()}) AND NOT ${this.openBlocker()} AND (${deferred} IS NULL OR ${deferred} <= ?)`,
      params: [this.#nowText, this.#nowText],
    };
  }

  /** True for a task in any of our statuses, however the file spells them. */
  statusIn(statuses: readonly Status[]): string {
    const words = statuses.flatMap((status) => STATUS_SPELLINGS[status]).map(quoteText);
    return `${this.#column("status")} COLLATE NOCASE IN (${words.join(", ")})`;
  }

  /** True when a task that `t` waits for is not closed. One that was deleted blocks nothing. */
  openBlocker(): string {
    const { names } = this.#map;
    const closed = CLOSED_STATUSES.flatMap((status) => STATUS_SPELLINGS[status]).map(quoteText);
    return `EXISTS (SELECT 1 FROM alai_deps d JOIN tasks b ON b.${quote(names.id)} = d.blocker_id WHERE d.task_id = ${this.#column("id")} AND b.${quote(names.status)} COLLATE NOCASE NOT IN (${closed.join(", ")}))`;
  }

  /** A time column as comparable text, whatever form the file keeps it in. */
  time(column: TimeColumn): string {
    const name = this.#column(column);
    const unit = this.#map.times[column];
    if (unit === "seconds") return `strftime('%Y-%m-%d %H:%M:%f', ${name}, 'unixepoch')`;
    if (unit === "millis") return `strftime('%Y-%m-%d %H:%M:%f', ${name} / 1000.0, 'unixepoch')`;
    // auto: a number that another program wrote among texts counts as seconds since the epoch, as `fromStoreTime` has it.
    return `strftime('%Y-%m-%d %H:%M:%f', ${name}, 'auto')`;
  }

  orderBy(sorts: readonly Sort[]): string {
    return orderTerms(sorts)
      .map((term) => `${this.orderValue(term)}${term.descending ? " DESC" : ""} NULLS ${term.nulls}`)
      .join(", ");
  }

  /** What a step of an order compares: a number, or text, times as comparable text. */
  orderValue({ value }: OrderTerm): string {
    switch (value) {
      case "id":
        return this.#column("id");
      case "priority":
        return this.#priorityNumber();
      case "due":
      case "created_at":
      case "updated_at":
        return this.time(value);
      default:
        // Another program may keep numbers in such a column, which SQLite would put before every text.
        return `CAST(${this.#column(value === "status_raw" ? "status" : value)} AS TEXT)`;
    }
  }

  /** What comes after the place where a page ended. */
  after(cursor: Cursor): Condition {
    const params: SQLInputValue[] = [];
    const sql = afterCursor(
      cursor,
      (term) => this.orderValue(term),
      (value) => {
        params.push(value);
        return "?";
      },
    );
    return { sql, params };
  }

  /** 0 to 4 from any spelling; what cannot be read sorts as the default, 2. */
  #priorityNumber(): string {
    const name = this.#column("priority");
    const cases = PRIORITY_SPELLINGS.map((words, n) => {
      const texts = words.filter((word) => word !== String(n)).map(quoteText);
      return `WHEN ${name} COLLATE NOCASE IN (${texts.join(", ")}, '${n}') THEN ${n}`;
    });
    return `(CASE WHEN typeof(${name}) = 'integer' THEN ${name} ${cases.join(" ")} ELSE 2 END)`;
  }

  get #nowText(): string {
    return toStoreTime(this.#now);
  }

  #column(column: Column): string {
    return `t.${quote(this.#map.names[column])}`;
  }

  /** Another program may clear a holder to an empty text. */
  #hasHolder(): string {
    const holder = this.#column("lease_holder");
    return `${holder} IS NOT NULL AND ${holder} <> ''`;
  }

  /** One parameter: now. */
  #live(): string {
    return `${this.#hasHolder()} AND coalesce(${this.time("lease_until")} > ?, 1)`;
  }

  *#plain(filter: TaskFilter): Generator<Condition> {
    yield* this.#status(filter.status);
    yield* this.#anyOf("project", filter.project);
    yield* this.#anyOf("owner", filter.owner);
    for (const tag of filter.tags ?? []) yield this.#hasTag(tag);
    if (filter.priority?.length)
      yield {
        sql: `${this.#priorityNumber()} IN (${filter.priority.map(() => "?").join(", ")})`,
        params: filter.priority,
      };
    for (const word of filter.text ?? [])
      yield {
        sql: `instr(lower(${this.#column("title")}), lower(?)) OR instr(lower(coalesce(${this.#column("description")}, '')), lower(?))`,
        params: [word, word],
      };
    if (filter.parent !== undefined) yield { sql: `${this.#column("parent")} = ?`, params: [filter.parent] };
    if (filter.dueBefore !== undefined)
      yield { sql: `${this.time("due")} < ?`, params: [toStoreTime(filter.dueBefore)] };
    if (filter.blocked !== undefined) yield { sql: `${filter.blocked ? "" : "NOT "}${this.openBlocker()}`, params: [] };
  }

  *#status(words: readonly string[] | undefined): Generator<Condition> {
    if (words === undefined) yield { sql: this.statusIn(LIVE_STATUSES), params: [] };
    else if (words.length > 0) {
      const spellings = words.flatMap((word) => statusSpellings(word));
      yield {
        sql: `${this.#column("status")} COLLATE NOCASE IN (${spellings.map(() => "?").join(", ")})`,
        params: spellings,
      };
    }
  }

  *#anyOf(column: Column, values: readonly string[] | undefined): Generator<Condition> {
    if (!values?.length) return;
    yield { sql: `${this.#column(column)} COLLATE NOCASE IN (${values.map(() => "?").join(", ")})`, params: values };
  }

  #hasTag(tag: string): Condition {
    const name = this.#column("tags");
    return {
      sql: `CASE WHEN json_valid(${name}) AND json_type(${name}) = 'array' THEN EXISTS (SELECT 1 FROM json_each(${name}) j WHERE j.value = ? COLLATE NOCASE) ELSE instr(lower(',' || replace(replace(${name}, ', ', ','), ' ', ',') || ','), lower(',' || ? || ',')) > 0 END`,
      params: [tag, tag],
    };
  }

  *#lease(filter: TaskFilter): Generator<Condition> {
    const now = this.#nowText;
    const holder = this.#column("lease_holder");
    if (filter.heldBy !== undefined) yield { sql: `${holder} = ? AND ${this.#live()}`, params: [filter.heldBy, now] };
    if (filter.held) yield { sql: this.#live(), params: [now] };
    if (filter.free) yield { sql: `NOT (${this.#live()})`, params: [now] };
    if (filter.expired) yield { sql: `${this.#hasHolder()} AND NOT (${this.#live()})`, params: [now] };
  }
}

/** Our own word stands for all its spellings; another program's word for itself. */
function statusSpellings(word: string): readonly string[] {
  const lower = word.trim().toLowerCase();
  const status = readStatus(lower);
  return status === lower ? STATUS_SPELLINGS[status] : [lower];
}
