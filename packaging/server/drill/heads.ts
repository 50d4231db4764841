import type { Side, Table } from "./side.ts";

/** Where a database's journal ends. */
export interface Head {
  /** The ledger's own id: the same in every copy. */
  readonly ledger: string;
  readonly seq: number;
  /** Milliseconds; null when the journal is empty. */
  readonly at: number | null;
  readonly pruned: number;
  readonly restoring: boolean;
  /** Lines of the journal between `pruned` and its end, and the newest of all. */
  readonly lines: number;
  readonly newest: number;
  /** The audit's end; 0 where there is none. */
  readonly audit: number;
  /** The last step of the schema; 0 where none is recorded. */
  readonly schema: number;
}

const HEAD = `
  SELECT h.ledger, h.seq::float8 AS seq, h.pruned::float8 AS pruned, h.restoring,
    (SELECT date_part('epoch', max(e.at)) * 1000 FROM alai.events e) AS at,
    (SELECT count(*)::float8 FROM alai.events e WHERE e.seq > h.pruned) AS lines,
    (SELECT coalesce(max(e.seq), 0)::float8 FROM alai.events e) AS newest
  FROM alai.head h`;
const FIRST_GAP = `
  SELECT min(n)::float8 AS missing FROM alai.head h, generate_series(h.pruned + 1, h.seq) n
  WHERE NOT EXISTS (SELECT FROM alai.events e WHERE e.seq = n)`;

/** Throws when the database is no ledger. */
export async function readHead(side: Side, tables: ReadonlyMap<string, Table>): Promise<Head> {
  if (!tables.has("head") || !tables.has("events"))
    throw new Error(`${side.name} is no ledger: it has no table alai.head`);
  const head = await side.one<Omit<Head, "audit" | "schema">>(HEAD);
  const highest = async (table: string, column: string) =>
    tables.has(table)
      ? (await side.one<{ n: number }>(`SELECT coalesce(max(${column}), 0)::float8 AS n FROM alai.${table}`)).n
      : 0;
  return { ...head, audit: await highest("audit_head", "seq"), schema: await highest("migrations", "version") };
}

/** What is wrong with where the restored database ends; nothing when all is well. */
export async function checkHeads(source: Head, restored: Head, side: Side, atLeast: number): Promise<string[]> {
  const wrong: string[] = [];
  if (source.ledger !== restored.ledger) wrong.push(`they are two ledgers: ${source.ledger} and ${restored.ledger}`);
  if (restored.restoring) wrong.push("the restored database is a copy that is not complete yet");
  if (restored.seq > source.seq)
    wrong.push(`the restored journal (${restored.seq}) is ahead of the source's (${source.seq}): are they swapped?`);
  if (source.pruned > restored.seq)
    wrong.push(
      `the source's journal is pruned through ${source.pruned}, past the backup's end: what changed since cannot be told`,
    );
  if (restored.seq < atLeast)
    wrong.push(`the restored journal ends at ${restored.seq}; it had ${atLeast} lines before the backup began`);
  if (
    restored.lines !== restored.seq - restored.pruned ||
    (restored.seq > restored.pruned && restored.newest !== restored.seq)
  ) {
    const { missing } = await side.one<{ missing: number | null }>(FIRST_GAP);
    wrong.push(
      missing === null
        ? `the restored journal has line ${restored.newest}, past its end ${restored.seq}`
        : `the restored journal has a gap: line ${missing} of ${restored.seq} is missing`,
    );
  }
  return wrong;
}
