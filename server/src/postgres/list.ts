import {
  decodeCursor,
  encodeCursor,
  type LedgerEvent,
  type ListQuery,
  type Millis,
  notFound,
  type OrderTerm,
  orderTerms,
  type Task,
  type TaskDetail,
  type TaskPage,
  toStoreTime,
} from "@alai/core";
import { each } from "@alai/core/rules/each";
import type { Database } from "./database.ts";
import { Filters, orderExpression, READ_MOMENT } from "./filter.ts";
import { readEvent, readTask, type TaskRow } from "./rows.ts";
import { SQL } from "./sql.ts";
import type { Row } from "./types.ts";

/** The columns a field is read from; fields that are not here have a column of their own name. */
const SOURCES: Readonly<Partial<Record<keyof Task, readonly (keyof TaskRow)[]>>> = {
  lease_state: ["lease_holder", "lease_until"],
  fence: ["lease_fence"],
};

/** Tasks that match, and where the rest begins when the limit left some out. */
export async function listTasks(database: Database, query: ListQuery): Promise<TaskPage> {
  const filters = new Filters(READ_MOMENT);
  const limit = query.limit || 0;
  // Only a page that may be cut has a place to go on from.
  const terms = limit > 0 ? orderTerms(query.sort) : [];
  const conditions = [filters.where(query)];
  if (query.after !== undefined) conditions.push(filters.after(decodeCursor(query.after, query.sort)));
  const text = `SELECT ${selectList(query.fields)}${places(terms)}, ${READ_MOMENT} AS now FROM alai.task_rows t
WHERE ${conditions.join(" AND ")} ORDER BY ${filters.orderBy(query.sort ?? [])}${limit > 0 ? ` LIMIT ${limit + 1}` : ""}`;
  const rows = await database.call({ text }, filters.values, { repeatable: true });
  const cut = limit > 0 && rows.length > limit;
  const shown = cut ? rows.slice(0, limit) : rows;
  const last = shown.at(-1);
  return {
    tasks: shown.map((row) => readTask(row as Partial<TaskRow>, Number(row.now))),
    cut,
    next: cut && last ? placeOf(last, terms) : null,
  };
}

/** A task without its id is of no use to anyone. */
function selectList(fields: ListQuery["fields"]): string {
  if (!fields) return "t.*";
  const columns = new Set<string>(["id", ...fields.flatMap((field): readonly string[] => SOURCES[field] ?? [field])]);
  return [...columns].map((column) => `t.${column}`).join(", ");
}

function places(terms: readonly OrderTerm[]): string {
  return terms.map((term, i) => `, ${orderExpression(term)} AS place${i}`).join("");
}

function placeOf(row: Row, terms: readonly OrderTerm[]): string {
  return encodeCursor({ terms, values: terms.map((term, i) => placeValue(term, row[`place${i}`])) });
}

function placeValue({ value }: OrderTerm, found: unknown): string | number | null {
  if (found === null || found === undefined) return null;
  if (value === "id" || value === "priority") return Number(found);
  return typeof found === "number" ? toStoreTime(found) : String(found);
}

/** Tasks with their history and who hangs on them, all at one moment. Throws `not_found`. */
export function getTasks(database: Database, ids: readonly number[]): Promise<TaskDetail[]> {
  return database.read(async (session) => {
    const [heads, tasks, history, links] = await Promise.all([
      session.rows<{ now: Millis }>(SQL.head),
      session.rows<TaskRow>(SQL.tasks, ids),
      session.rows(SQL.history, ids),
      session.rows<{ id: number; other: number; waits: boolean }>(SQL.links, ids),
    ]);
    const now = heads[0]?.now ?? 0;
    const rows = new Map(tasks.map((row) => [row.id, row]));
    const events = Map.groupBy(history.map(readEvent), (event) => event.task);
    return each(
      ids,
      (id) => {
        const row = rows.get(id);
        if (!row) throw notFound(id);
        const others = (waits: boolean) =>
          links.filter((link) => link.id === id && link.waits === waits).map((link) => link.other);
        return {
          ...readTask(row, now),
          history: events.get(id) ?? NO_EVENTS,
          blocks: others(true),
          children: others(false),
        };
      },
      "look",
    );
  });
}

const NO_EVENTS: readonly LedgerEvent[] = [];
