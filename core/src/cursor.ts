import { type OrderTerm, type OrderValue, orderTerms } from "./order.ts";
import type { Sort } from "./query.ts";
import { type BadInput, badInput } from "./refusal.ts";

/**
 * What a task has where an order compares: numbers for `id` and `priority`, for all else text, times in the ledger's own
 * form (`toStoreTime`); null where it is missing. The same on every store, so that a cursor outlives a move of the ledger.
 */
export type CursorValue = string | number | null;

/**
 * Where a page ended: the place in the order, not a row or a count, so it stays right when tasks are added, changed or
 * closed between two pages.
 */
export interface Cursor {
  readonly terms: readonly OrderTerm[];
  /** One for each term; the last is the id. */
  readonly values: readonly CursorValue[];
}

/** The first element of the text inside, for a later form of it. */
const FORM = 1;

/** An opaque text for `ListQuery.after`. */
export function encodeCursor({ terms, values }: Cursor): string {
  return Buffer.from(JSON.stringify([FORM, nameOf(terms), ...values])).toString("base64url");
}

/** Reads a cursor of this order. Throws `BadInput` for one of another order, and for what is none. */
export function decodeCursor(text: string, sorts: readonly Sort[] | undefined): Cursor {
  const terms = orderTerms(sorts);
  const [form, name, ...values] = parse(text);
  if (form !== FORM || typeof name !== "string") throw noCursor();
  if (name !== nameOf(terms))
    throw badInput(
      "The cursor belongs to a list in another order.",
      "Ask for the order that the page before was in, or start from the first page.",
    );
  if (values.length !== terms.length || !terms.every((term, i) => isValue(term.value, values[i]))) throw noCursor();
  return { terms, values: values as CursorValue[] };
}

/** `priority,due,id`; a minus before what descends. */
function nameOf(terms: readonly OrderTerm[]): string {
  return terms.map((term) => `${term.descending ? "-" : ""}${term.value}`).join();
}

function parse(text: string): unknown[] {
  // Node skips characters that are not of the alphabet: what it makes of rubbish could be a cursor by accident.
  if (!/^[\w-]+$/.test(text)) throw noCursor();
  try {
    const parsed: unknown = JSON.parse(Buffer.from(text, "base64url").toString());
    if (Array.isArray(parsed)) return parsed;
  } catch {
    // Not JSON: said below.
  }
  throw noCursor();
}

function isValue(of: OrderValue, value: unknown): boolean {
  if (of === "id") return Number.isSafeInteger(value);
  if (of === "priority") return Number.isFinite(value);
  return value === null || typeof value === "string";
}

function noCursor(): BadInput {
  return badInput(
    "This is not a cursor that a list gave out.",
    "Give `next` of the page before as it is, or start from the first page.",
  );
}

/**
 * The SQL condition for what comes after a cursor, true in SQLite and Postgres alike. Each step's value is compared with
 * the expression the order itself goes by.
 * @param expression of a term.
 * @param parameter gives the placeholder for a value of a term; called in the order in which they stand in the text.
 */
export function afterCursor(
  { terms, values }: Cursor,
  expression: (term: OrderTerm) => string,
  parameter: (value: string | number, term: OrderTerm) => string,
): string {
  const from = (step: number): string => {
    const term = terms[step];
    if (!term) return "FALSE";
    const sql = expression(term);
    const value = values[step] ?? null;
    const beyond = value === null ? beyondNull(sql, term) : beyondValue(sql, term, parameter(value, term));
    if (step === terms.length - 1) return beyond;
    const same = value === null ? `${sql} IS NULL` : `${sql} = ${parameter(value, term)}`;
    return `(${beyond} OR (${same} AND ${from(step + 1)}))`;
  };
  return from(0);
}

function beyondNull(sql: string, term: OrderTerm): string {
  return term.nulls === "first" ? `${sql} IS NOT NULL` : "FALSE";
}

function beyondValue(sql: string, term: OrderTerm, placeholder: string): string {
  const beyond = `${sql} ${term.descending ? "<" : ">"} ${placeholder}`;
  return term.nulls === "last" ? `(${beyond} OR ${sql} IS NULL)` : beyond;
}
