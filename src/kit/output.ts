import type { Context } from "./context.ts";
import { usage } from "./errors.ts";
import type { Io } from "./io.ts";
import { PLAIN, type Style, styleFor } from "./style.ts";
import { oneLine, toJson, truncate, wrap } from "./text.ts";

/** One column of a list. */
export interface Column<T> {
  readonly header: string;
  /** The value as a line of a pipe has it: nothing cut, times ISO. */
  readonly value: (row: T) => string;
  /** The value as a person reads it; absent: the same. */
  readonly show?: (row: T, style: Style) => string;
  /** Takes what room is left; cut with an ellipsis. */
  readonly flexible?: boolean;
  /** With `flexible`: broken into lines at its spaces instead of cut. */
  readonly wraps?: boolean;
  readonly right?: boolean;
  /** Left out of the table on a terminal when no row has it. */
  readonly optional?: boolean;
  /** Left out where the terminal is too narrow: the highest number first. */
  readonly expendable?: number;
  /** Only on a terminal (`table`) or only in a pipe (`lines`). */
  readonly only?: "table" | "lines";
}

/** How a kind of thing is shown. */
export interface View<T> {
  readonly columns: readonly Column<T>[];
  readonly json: (row: T) => Readonly<Record<string, unknown>>;
  /** What is said on stderr of a terminal when there is nothing. */
  readonly empty?: string;
  /** A sentence for one result on a terminal, instead of a table. */
  readonly sentence?: (row: T, style: Style) => string;
  /** All rows on a terminal of this width, instead of a table. */
  readonly page?: (rows: readonly T[], style: Style, width: number) => string;
}

/** Prints rows: JSON, a table or lines. */
export async function printRows<T>(context: Context, rows: readonly T[], view: View<T>): Promise<void> {
  const { io, flags } = context;
  if (flags.json) return io.out(`${toJson(rows.map((row) => narrow(view.json(row), flags.json ?? [])))}\n`);
  if (rows.length === 0) return sayEmpty(context, view);
  if (flags.quiet)
    return io.out(
      rows.map((row) => `${oneLine(String(view.json(row).id ?? view.columns[0]?.value(row) ?? ""))}\n`).join(""),
    );
  if (!io.stdoutIsTty) return printLines(io, rows, view);
  io.out(view.page ? view.page(rows, await styleFor(context, true), io.columns) : await toTable(context, rows, view));
}

/** Prints results of a change: sentences on a terminal, else as rows. `--json` of one id is one object, of several an array. */
export async function printResults<T>(
  context: Context,
  rows: readonly T[],
  view: View<T>,
  single: boolean,
): Promise<void> {
  const { io, flags } = context;
  const [first] = rows;
  if (flags.json && single && first !== undefined) return io.out(`${toJson(narrow(view.json(first), flags.json))}\n`);
  if (flags.json || flags.quiet || !io.stdoutIsTty || !view.sentence) return printRows(context, rows, view);
  const style = await styleFor(context, true);
  for (const row of rows) io.out(`${view.sentence(row, style)}\n`);
}

/** Prints one value as JSON, narrowed when fields are asked for. */
export function printJson(context: Context, value: Readonly<Record<string, unknown>>): void {
  context.io.out(`${toJson(narrow(value, context.flags.json ?? []))}\n`);
}

function sayEmpty<T>(context: Context, view: View<T>): void {
  if (view.empty && context.io.stderrIsTty && !context.flags.quiet) context.io.err(`${view.empty}\n`);
}

/** Keeps the fields asked for, in that order. The names were checked against the command's list before it ran. */
export function narrow(
  row: Readonly<Record<string, unknown>>,
  fields: readonly string[],
): Readonly<Record<string, unknown>> {
  if (fields.length === 0) return row;
  return Object.fromEntries(fields.map((field) => [field, row[field] ?? null]));
}

/** Refuses fields that the command does not have. */
export function checkFields(asked: readonly string[] | undefined, known: readonly string[]): void {
  const wrong = asked?.find((field) => !known.includes(field));
  if (wrong === undefined) return;
  if (known.length === 0) throw usage("This command has no JSON fields.", "Leave --json=… out.");
  throw usage(`There is no field "${truncate(oneLine(wrong), 40)}".`, `Fields are: ${known.join(", ")}.`);
}

const CHUNK = 65_536;

/** Written piece by piece: a long list need not be in memory as one text. */
function printLines<T>(io: Io, rows: readonly T[], view: View<T>): void {
  const columns = view.columns.filter((column) => column.only !== "table");
  let text = "";
  for (const row of rows) {
    text += `${toLine(columns.map((column) => column.value(row)))}\n`;
    if (text.length < CHUNK) continue;
    io.out(text);
    text = "";
  }
  io.out(text);
}

/** Cheaper to find than what must be escaped, and nearly never there. */
const NOT_PLAIN = /[^\x20-\x7e]/;

/** Values between tabs. Looked through once as a whole: nearly all have nothing to escape. */
export function toLine(values: readonly string[]): string {
  return (NOT_PLAIN.test(values.join("")) ? values.map(oneLine) : values).join("\t");
}

async function toTable<T>(context: Context, rows: readonly T[], view: View<T>): Promise<string> {
  const [{ default: Table }, style] = await Promise.all([import("cli-table3"), styleFor(context, true)]);
  const columns = fitting(
    context.io.columns,
    view.columns.filter(
      (column) => column.only !== "lines" && (!column.optional || rows.some((row) => column.value(row) !== "")),
    ),
    rows,
  );
  const room = flexibleWidth(context.io.columns, columns, rows);
  const table = new Table({
    head: columns.map((column) => style.dim(column.header)),
    chars: EMPTY_FRAME,
    style: { head: [], border: [], "padding-left": 0, "padding-right": 2 },
    colAligns: columns.map((column) => (column.right ? "right" : "left")),
  });
  for (const row of rows) table.push(columns.map((column) => cell(column, row, style, room)));
  return `${table.toString().replaceAll(/[ \t]+$/gm, "")}\n`;
}

function cell<T>(column: Column<T>, row: T, style: Style, room: number): string {
  if (column.flexible && column.wraps) return wrap(oneLine(column.value(row)), room).join("\n");
  if (column.flexible) return truncate(oneLine(column.value(row)), room);
  return column.show ? column.show(row, style) : oneLine(column.value(row));
}

/** The least that the flexible column, which people read first, should have. */
const READABLE = 30;

/** Leaves columns out until the flexible one has room; what is left out is still in `--json` and in a pipe. */
function fitting<T>(width: number, columns: readonly Column<T>[], rows: readonly T[]): readonly Column<T>[] {
  const least = [...columns].sort((a, b) => (b.expendable ?? 0) - (a.expendable ?? 0))[0];
  if (!least?.expendable || flexibleWidth(width, columns, rows) >= READABLE) return columns;
  return fitting(
    width,
    columns.filter((column) => column !== least),
    rows,
  );
}

/** What is left of the terminal's width for the flexible column. */
function flexibleWidth<T>(width: number, columns: readonly Column<T>[], rows: readonly T[]): number {
  const fixed = columns
    .filter((column) => !column.flexible)
    .map((column) => Math.max(column.header.length, ...rows.map((row) => visibleLength(column, row))) + 2);
  const taken = fixed.reduce((sum, next) => sum + next, 0);
  return Math.max(20, width - taken - 2);
}

function visibleLength<T>(column: Column<T>, row: T): number {
  return (column.show ? column.show(row, PLAIN) : oneLine(column.value(row))).length;
}

const EMPTY_FRAME = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: "",
};
