import {
  afterCursor,
  type Cursor,
  type Millis,
  type OrderTerm,
  orderTerms,
  readStatus,
  type Sort,
  type TaskFilter,
} from "@alai/core";
import pg from "pg";

/** The moment a statement that reads goes by: the same all through it. */
export const READ_MOMENT = "(SELECT alai.read_moment())";
/** The moment that a function of the database has read under its locks. */
export const MOMENT = "$1";

const LIVE = "t.status IN ('open', 'ready')";
/** True when a task that `t` waits for is not closed. One that was deleted blocks nothing. */
const OPEN_BLOCKER = `EXISTS (SELECT FROM alai.dependencies d JOIN alai.tasks b ON b.id = d.blocker WHERE d.task = t.id AND b.status NOT IN ('done', 'cancelled'))`;

/** Builds SQL conditions over `alai.tasks t`. A value stands in the text, or beside it as a parameter. */
export class Filters {
  readonly values: unknown[] = [];
  readonly #now: string;
  readonly #inline: boolean;

  /** @param now SQL for the moment. */
  constructor(now: string, values: "parameters" | "inline" = "parameters") {
    this.#now = now;
    this.#inline = values === "inline";
  }

  all(...conditions: readonly string[]): string {
    return conditions.length === 0 ? "true" : conditions.map((condition) => `(${condition})`).join(" AND ");
  }

  where(filter: TaskFilter): string {
    return this.all(...(filter.status === undefined ? [LIVE] : []), ...this.anyStatus(filter));
  }

  /** The criteria of a filter, where no status means any. */
  *anyStatus(filter: TaskFilter): Generator<string> {
    if (filter.status?.length) yield filter.status.map((word) => this.#hasStatus(word)).join(" OR ");
    yield* this.#anyOf("project", filter.project);
    yield* this.#anyOf("owner", filter.owner);
    for (const tag of filter.tags ?? [])
      yield `EXISTS (SELECT FROM unnest(t.tags) AS tag (word) WHERE lower(tag.word COLLATE "C") = ${this.#text(lower(tag))})`;
    if (filter.priority?.length) yield `coalesce(t.priority, 2) IN (${filter.priority.map(Number).join(", ")})`;
    for (const word of filter.text ?? []) {
      const text = this.#text(lower(word));
      yield `strpos(lower(t.title), ${text}) > 0 OR strpos(lower(coalesce(t.description, '')), ${text}) > 0`;
    }
    if (filter.parent !== undefined) yield `t.parent = ${this.#value(filter.parent, "bigint")}`;
    if (filter.dueBefore !== undefined) yield `t.due < ${this.#time(filter.dueBefore)}`;
    if (filter.blocked !== undefined) yield `${filter.blocked ? "" : "NOT "}${OPEN_BLOCKER}`;
    yield* this.#lease(filter);
  }

  /** Open work that nobody holds, that waits for nothing and is not put off. */
  claimable(): string {
    return this.all(
      LIVE,
      `NOT (${this.#live()})`,
      `NOT ${OPEN_BLOCKER}`,
      `t.deferred_until IS NULL OR t.deferred_until <= ${this.#now}`,
    );
  }

  orderBy(sorts: readonly Sort[]): string {
    return orderTerms(sorts)
      .map((term) => `${orderExpression(term)}${term.descending ? " DESC" : ""}${nullsOf(term)}`)
      .join(", ");
  }

  /** What comes after the place where a page ended. */
  after(cursor: Cursor): string {
    return afterCursor(cursor, orderExpression, (value, term) => this.#value(value, cursorType(term)));
  }

  #hasStatus(word: string): string {
    const text = lower(word.trim());
    const status = readStatus(text);
    // Our own word stands for all its spellings; another program's word for itself.
    return status === text
      ? `t.status = ${this.#text(text)}`
      : `lower(coalesce(t.status_raw, t.status)) = ${this.#text(text)}`;
  }

  *#anyOf(column: "project" | "owner", values: readonly string[] | undefined): Generator<string> {
    if (!values?.length) return;
    yield `lower(t.${column}) IN (${values.map((value) => this.#text(lower(value))).join(", ")})`;
  }

  #live(): string {
    return `t.lease_holder IS NOT NULL AND (t.lease_until IS NULL OR t.lease_until > ${this.#now})`;
  }

  *#lease(filter: TaskFilter): Generator<string> {
    if (filter.heldBy !== undefined) yield `t.lease_holder = ${this.#text(filter.heldBy)} AND ${this.#live()}`;
    if (filter.held) yield this.#live();
    if (filter.free) yield `NOT (${this.#live()})`;
    if (filter.expired) yield `t.lease_holder IS NOT NULL AND NOT (${this.#live()})`;
  }

  #time(ms: Millis): string {
    return `alai.from_millis(${this.#value(ms, "bigint")})`;
  }

  #text(value: string): string {
    return this.#value(value, "text");
  }

  #value(value: string | number, type: string): string {
    if (this.#inline) return typeof value === "number" ? `${value}::${type}` : `${pg.escapeLiteral(value)}::${type}`;
    this.values.push(value);
    return `$${this.values.length}::${type}`;
  }
}

/** Without regard to case as SQLite has it: of the letters A to Z. */
function lower(text: string): string {
  return text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** What a step of an order compares: a number, or text, times as text in the ledger's own form (`CursorValue`). */
export function orderExpression({ value }: OrderTerm): string {
  switch (value) {
    case "id":
      return "t.id";
    case "priority":
      return "coalesce(t.priority, 2)";
    case "status_raw":
      return "coalesce(t.status_raw, t.status)";
    default:
      return `t.${value}`;
  }
}

/** Said only where there can be none: an order that says more than its index is sorted anew, all of it for each page. */
function nullsOf({ value, nulls }: OrderTerm): string {
  return value === "id" || value === "priority" ? "" : ` NULLS ${nulls}`;
}

function cursorType({ value }: OrderTerm): string {
  if (value === "id") return "bigint";
  if (value === "priority") return "float8";
  return value === "due" || value === "created_at" || value === "updated_at" ? "timestamptz" : "text";
}
