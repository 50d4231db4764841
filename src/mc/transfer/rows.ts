import { createHash } from "node:crypto";
import type { DumpHead, DumpRow, RestoreRow } from "@alai/core";
import { canonical } from "@alai/core/dump-rows";

export type Table = DumpRow["table"];

/** In the order of a dump. */
export const TABLES: readonly Table[] = ["task", "dependency", "evidence", "event"];

/** One side of a copy. */
export interface Side {
  readonly head: DumpHead;
  rows(): AsyncIterable<DumpRow>;
}

/** Under what a row is looked for on the other side. A dependency and a piece of evidence are nothing but their content. */
export function keyOf({ table, row }: DumpRow): string {
  if (table === "task") return `task ${row.id}`;
  return table === "event" ? `event ${row.seq}` : `${table} ${canonical(row)}`;
}

/** What a person looks for the row of this key by. */
export function nameOfKey(key: string): string {
  const [, table, content] = /^(\w+) (\{.*)$/s.exec(key) ?? [];
  return content === undefined ? key : `${table} of task ${(JSON.parse(content) as { task: number }).task}`;
}

/** SHA-256 over the row's canonical JSON. */
export function digestOf({ row }: DumpRow): string {
  return createHash("sha256").update(canonical(row)).digest("base64");
}

export function totalOf({ rows }: DumpHead): number {
  return TABLES.reduce((sum, table) => sum + rows[table], 0);
}

const MOST_ROWS = 1000;
const MOST_BYTES = 4 * 2 ** 20;

/** Rows in pieces of about 1,000 or 4 MiB, whichever is less: one call and one transaction each. */
export async function* inPieces<T extends RestoreRow>(rows: AsyncIterable<T>): AsyncGenerator<T[]> {
  let piece: T[] = [];
  let bytes = 0;
  for await (const row of rows) {
    piece.push(row);
    bytes += Buffer.byteLength(JSON.stringify(row));
    if (piece.length < MOST_ROWS && bytes < MOST_BYTES) continue;
    yield piece;
    piece = [];
    bytes = 0;
  }
  if (piece.length > 0) yield piece;
}
