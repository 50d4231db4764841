import type { Row, Rule } from "./rules.ts";
import type { Side, Table } from "./side.ts";

/** What the rules' conditions know: where the backup ends, and what changed after it. */
export interface Scope {
  readonly head: number;
  readonly pruned: number;
  readonly audit: number;
  readonly schema: number;
  /** Milliseconds: what is older than this was surely committed before the backup. */
  readonly before: number;
  /** Tasks that the source's journal names after the backup's end. */
  readonly touched: readonly string[];
}

/** What came of one table. */
export interface Compared {
  readonly table: string;
  /** Rows that must be equal, and how many of them were compared column by column. */
  readonly settled: number;
  readonly sampled: number;
  /** Rows of the source that are newer than the backup. */
  readonly newer: number;
  /** The first difference. */
  readonly difference?: string;
}

export interface Sample {
  /** Rows; 0 is all. */
  readonly size: number;
  /** The same seed draws the same rows. */
  readonly seed: string;
}

interface Found {
  readonly key: string;
  readonly body: string;
  readonly whole: Row;
}

const SCOPE = `WITH s AS (SELECT $1::float8::bigint AS head, $2::float8::bigint AS pruned, $3::float8::bigint AS audit,
  $4::float8::bigint AS schema, to_timestamp($5::float8 / 1000) AS before, $6::bigint[] AS touched)`;

function values({ head, pruned, audit, schema, before, touched }: Scope): unknown[] {
  return [head, pruned, audit, schema, before, touched];
}

/** The statements about one table. */
function statements(table: string, { key }: Table, rule: Rule) {
  const name = `jsonb_build_array(${key.map((column) => `t.${column}`).join(", ")})::text`;
  const from = `FROM alai.${table} t CROSS JOIN s`;
  // Each key as a number; their sum does not depend on their order.
  const digest = `coalesce(sum(('x' || left(md5(${name}), 15))::bit(60)::bigint::numeric), 0)::text`;
  const row = `${name} AS key, (to_jsonb(t) - $7::text[])::text AS body, to_jsonb(t) AS whole`;
  return {
    count: `${SCOPE} SELECT count(*)::float8 AS settled, ${digest} AS digest,
      (SELECT count(*)::float8 FROM alai.${table}) AS total ${from} WHERE ${rule.settled}`,
    keys: `${SCOPE} SELECT ${name} AS key ${from} WHERE ${rule.settled} ORDER BY ${key.map((column) => `t.${column}`)}`,
    draw: `${SCOPE} SELECT ${row} ${from} WHERE ${rule.settled} ORDER BY md5(${name} || $8) LIMIT $9`,
    find: `SELECT ${row.replaceAll("$7", "$1")} FROM alai.${table} t WHERE ${name} = ANY ($2::text[])`,
  };
}

/** Compares the rows of one table that cannot have changed since the backup: all keys, and a random sample of whole rows. */
export async function compareTable(
  source: Side,
  restored: Side,
  table: string,
  catalogue: Table,
  rule: Rule,
  scope: Scope,
  sample: Sample,
): Promise<Compared> {
  const sql = statements(table, catalogue, rule);
  type Count = { settled: number; digest: string; total: number };
  const ours = await source.one<Count>(sql.count, values(scope));
  const theirs = await restored.one<Count>(sql.count, values(scope));
  const loose = rule.loose ?? [];
  const drawn = await source.rows<Found>(sql.draw, [...values(scope), loose, sample.seed, sample.size || null]);
  const there = await restored.rows<Found>(sql.find, [loose, drawn.map(({ key }) => key)]);
  const difference =
    (await differentKeys(source, restored, table, sql.keys, scope, rule, ours.digest === theirs.digest)) ??
    differentRow(table, rule, drawn, new Map(there.map((row) => [row.key, row])));
  return {
    table,
    settled: ours.settled,
    sampled: drawn.length,
    newer: ours.total - ours.settled,
    ...(difference === undefined ? {} : { difference }),
  };
}

/** The first key that only one side has. Read only when the sums differ: there may be millions. */
async function differentKeys(
  source: Side,
  restored: Side,
  table: string,
  sql: string,
  scope: Scope,
  rule: Rule,
  same: boolean,
): Promise<string | undefined> {
  if (same) return undefined;
  const keysOf = async (side: Side) =>
    new Set((await side.rows<{ key: string }>(sql, values(scope))).map(({ key }) => key));
  const ours = await keysOf(source);
  const theirs = await keysOf(restored);
  const lost = first(ours, theirs);
  if (lost !== undefined) return `${table} ${lost} is not in the restored database`;
  const strange = rule.shrinks ? undefined : first(theirs, ours);
  return strange === undefined ? undefined : `${table} ${strange} is only in the restored database`;
}

function first(keys: ReadonlySet<string>, others: ReadonlySet<string>): string | undefined {
  for (const key of keys) if (!others.has(key)) return key;
  return undefined;
}

function differentRow(
  table: string,
  { loose = [], odd }: Rule,
  drawn: readonly Found[],
  there: ReadonlyMap<string, Found>,
): string | undefined {
  for (const ours of drawn) {
    const theirs = there.get(ours.key);
    if (!theirs) return `${table} ${ours.key} is not in the restored database`;
    const column = ours.body === theirs.body ? odd?.(ours.whole, theirs.whole) : differentColumn(ours, theirs, loose);
    if (column !== undefined) return describe(`${table} ${ours.key}`, column, ours, theirs);
  }
  return undefined;
}

function differentColumn(ours: Found, theirs: Found, loose: readonly string[]): string {
  const text = (row: Found, column: string) => JSON.stringify(row.whole[column]);
  const strict = Object.keys(ours.whole).filter((column) => !loose.includes(column));
  return strict.find((column) => text(ours, column) !== text(theirs, column)) ?? "a column";
}

function describe(row: string, column: string, ours: Found, theirs: Found): string {
  const show = ({ whole }: Found) => short(JSON.stringify(whole[column]) ?? "other");
  return `${row}: ${column} is ${show(theirs)} in the restored database, ${show(ours)} in the source`;
}

function short(text: string): string {
  return text.length <= 80 ? text : `${text.slice(0, 79)}…`;
}
