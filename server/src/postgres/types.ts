import type { CustomTypesConfig } from "pg";
import pg from "pg";

/** What a statement's row has; each reader knows the columns it asked for. */
export type Row = Record<string, unknown>;

const INT8 = 20;
const TIMESTAMPTZ = 1184;
const INT8_ARRAY = 1016;

const PARSERS: Readonly<Record<number, (text: string) => unknown>> = {
  [INT8]: Number,
  [TIMESTAMPTZ]: readTime,
  [INT8_ARRAY]: (text) => (text === "{}" ? [] : text.slice(1, -1).split(",").map(Number)),
};

/** Numbers and times as the ledger has them: a time is milliseconds. The session's time zone is UTC (session.sql). */
export const TYPES: CustomTypesConfig = {
  getTypeParser: (oid: number, format?: "text" | "binary") =>
    (format === "binary" ? undefined : PARSERS[oid]) ?? pg.types.getTypeParser(oid, format),
};

/** `2026-05-08 12:30:00.123+00`; the fraction only where there is one. */
function readTime(text: string): number {
  return Date.parse(`${text.slice(0, 10)}T${text.slice(11, -3)}Z`);
}
