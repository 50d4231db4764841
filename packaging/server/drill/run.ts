import { randomBytes } from "node:crypto";
import { type Compared, compareTable, type Sample, type Scope } from "./compare.ts";
import { checkHeads, type Head, readHead } from "./heads.ts";
import { HEADS, RULES } from "./rules.ts";
import { Side, type Table } from "./side.ts";

export interface DrillOptions {
  readonly source: string;
  readonly restored: string;
  /** Rows of each table that are compared column by column; 0 is all. */
  readonly sample: number;
  /** Draws the same rows again. */
  readonly seed?: string | undefined;
  /** The journal's end when the backup began: from backup.sh. */
  readonly atLeast?: number | undefined;
}

/** What the drill found. */
export interface DrillReport {
  readonly passed: boolean;
  /** What is wrong, the first difference first. */
  readonly failures: readonly string[];
  readonly source: string;
  readonly restored: string;
  readonly ledger: string;
  readonly source_seq: number;
  readonly restored_seq: number;
  /** Lines of the journal that are newer than the backup, and the time they span: what a loss of the source would have cost. */
  readonly events_lost: number;
  readonly rpo_seconds: number;
  readonly restored_at: string | null;
  readonly tables: readonly Compared[];
  readonly seed: string;
  readonly seconds: number;
}

/** A row that was begun before the backup and committed after it is not in it: rows with a time but no number are compared when they are older than this. */
const COMMIT_MARGIN = 60_000;

/** Compares a live database with one that was restored from its backup. Throws when one of them cannot be read. */
export async function runDrill(options: DrillOptions): Promise<DrillReport> {
  const started = performance.now();
  const sides: Side[] = [];
  try {
    const restored = await Side.open(options.restored);
    sides.push(restored);
    const source = await Side.open(options.source);
    sides.push(source);
    return await compare(source, restored, options, started);
  } finally {
    for (const side of sides) await side.close();
  }
}

async function compare(source: Side, restored: Side, options: DrillOptions, started: number): Promise<DrillReport> {
  const tables = await source.tables();
  const theirs = await restored.tables();
  const sourceHead = await readHead(source, tables);
  const head = await readHead(restored, theirs);
  const sample: Sample = { size: options.sample, seed: options.seed ?? randomBytes(4).toString("hex") };
  const failures = [
    ...(await checkHeads(sourceHead, head, restored, options.atLeast ?? 0)),
    ...missing(tables, theirs),
    ...[...tables.keys()].filter((name) => !RULES[name] && !HEADS.has(name)).map(unknown),
  ];
  const scope = await scopeOf(source, sourceHead, head);
  const compared: Compared[] = [];
  for (const [name, rule] of Object.entries(RULES)) {
    const table = tables.get(name);
    if (!table || !sameShape(table, theirs.get(name))) continue;
    compared.push(await compareTable(source, restored, name, table, rule, scope, sample));
  }
  failures.push(...compared.flatMap(({ difference }) => difference ?? []));
  return {
    passed: failures.length === 0,
    failures,
    source: source.name,
    restored: restored.name,
    ledger: head.ledger,
    source_seq: sourceHead.seq,
    restored_seq: head.seq,
    events_lost: Math.max(0, sourceHead.seq - head.seq),
    rpo_seconds: span(head.at, sourceHead.at),
    restored_at: head.at === null ? null : new Date(head.at).toISOString(),
    tables: compared,
    seed: sample.seed,
    seconds: Math.round(performance.now() - started) / 1000,
  };
}

async function scopeOf(source: Side, { pruned }: Head, restored: Head): Promise<Scope> {
  const changed = await source.rows<{ task: string }>(
    "SELECT DISTINCT task::text FROM alai.events WHERE seq > $1::float8::bigint AND task IS NOT NULL",
    [restored.seq],
  );
  return {
    head: restored.seq,
    pruned: Math.max(pruned, restored.pruned),
    audit: restored.audit,
    schema: restored.schema,
    before: (restored.at ?? 0) - COMMIT_MARGIN,
    touched: changed.map(({ task }) => task),
  };
}

function span(from: number | null, to: number | null): number {
  return to === null ? 0 : Math.max(0, Math.round(to - (from ?? to))) / 1000;
}

/** Tables and columns that the restored database has not. */
function missing(tables: ReadonlyMap<string, Table>, theirs: ReadonlyMap<string, Table>): string[] {
  const wrong = [...tables].filter(([name, table]) => !sameShape(table, theirs.get(name))).map(([name]) => name);
  return wrong.map(
    (name) =>
      `table ${name} is missing or has other columns in the restored database: if the backup is older than a change of the schema, start the server on it once, then drill again`,
  );
}

function sameShape(table: Table, other: Table | undefined): boolean {
  return other !== undefined && [...table.columns].sort().join() === [...other.columns].sort().join();
}

function unknown(name: string): string {
  return `no rule says how to compare table ${name}: add it to packaging/server/drill/rules.ts`;
}
