import { type Cursor, type CursorValue, decodeCursor, encodeCursor } from "../cursor.ts";
import type { TaskDetail, TaskPage } from "../ledger.ts";
import { type OrderTerm, orderTerms } from "../order.ts";
import type { ListQuery } from "../query.ts";
import type { Task } from "../task.ts";
import type { Millis } from "../time.ts";
import { type Condition, Filters } from "./filter.ts";
import { listEvents } from "./journal.ts";
import { col, readTask, selectList } from "./rows.ts";
import type { Row, Store } from "./store.ts";
import { oneTask } from "./write.ts";

/** Tasks that match, and where the rest begins when the limit left some out. */
export function listTasks(store: Store, now: Millis, query: ListQuery): TaskPage {
  const filters = new Filters(store.columns, now);
  const limit = query.limit || 0;
  // Only a page that may be cut has a place to go on from.
  const terms = limit > 0 ? orderTerms(query.sort) : [];
  const places = terms.map((term, i) => `, ${filters.orderValue(term)} AS "$order${i}"`).join("");
  const where = both(filters.where(query), afterOf(filters, query));
  const rows = store.each(
    `SELECT ${selectList(store.columns, withId(query.fields))}${places} FROM tasks t WHERE ${where.sql} ORDER BY ${filters.orderBy(query.sort ?? [])} LIMIT ?`,
    ...where.params,
    limit > 0 ? limit + 1 : -1,
  );
  const tasks: Task[] = [];
  let last: Row | undefined;
  for (const row of rows) {
    if (limit > 0 && tasks.length === limit) return { tasks, cut: true, next: last ? placeOf(last, terms) : null };
    tasks.push(readTask(row, store.columns, now));
    last = row;
  }
  return { tasks, cut: false, next: null };
}

/** A task without its id is of no use to anyone, and would come out with one that is not a number. */
function withId(fields: ListQuery["fields"]): ListQuery["fields"] {
  return fields && !fields.includes("id") ? ["id", ...fields] : fields;
}

function afterOf(filters: Filters, query: ListQuery): Condition | null {
  if (query.after === undefined) return null;
  const cursor: Cursor = decodeCursor(query.after, query.sort);
  return filters.after(cursor);
}

function both(a: Condition, b: Condition | null): Condition {
  return b ? { sql: `${a.sql} AND ${b.sql}`, params: [...a.params, ...b.params] } : a;
}

function placeOf(row: Row, terms: readonly OrderTerm[]): string {
  return encodeCursor({ terms, values: terms.map((_, i) => readValue(row[`$order${i}`])) });
}

function readValue(value: Row[string] | undefined): CursorValue {
  if (value === null || value === undefined) return null;
  return typeof value === "bigint" || typeof value === "number" ? Number(value) : String(value);
}

export function detailOf(store: Store, now: Millis, id: number): TaskDetail {
  const ids = (sql: string) => store.all(sql, id).map((row) => Number(row.id));
  return {
    ...oneTask(store, now, id),
    history: listEvents(store, { task: id }),
    blocks: ids("SELECT task_id AS id FROM alai_deps WHERE blocker_id = ? ORDER BY 1"),
    children: ids(`SELECT ${col(store, "id")} AS id FROM tasks t WHERE ${col(store, "parent")} = ? ORDER BY 1`),
  };
}
