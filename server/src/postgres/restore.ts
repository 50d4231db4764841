import type { DumpHead, LedgerEvent, Restored, RestoreRow } from "@alai/core";
import { dumpEvent } from "@alai/core/dump-rows";
import { notACopy } from "@alai/core/rules/copy";
import type { Database } from "./database.ts";
import { dumpTaskRow } from "./dump.ts";
import { lockHead } from "./numbers.ts";
import { Piece } from "./piece.ts";
import { readEvent, type TaskRow } from "./rows.ts";
import type { Session } from "./session.ts";
import { SQL } from "./sql.ts";

/**
 * Writes a piece of a copy in one transaction. The first piece makes an empty ledger a copy, under the source's id; until
 * all of the source's rows are there it takes no other changes, whose numbers would be those of rows still to come.
 */
export function restoreRows(database: Database, head: DumpHead, rows: readonly RestoreRow[]): Promise<Restored> {
  return database.write((session) => restorePiece(session, head, rows), { repeatable: true });
}

async function restorePiece(session: Session, source: DumpHead, rows: readonly RestoreRow[]): Promise<Restored> {
  const tasks = [...new Set(rows.map(taskOf).filter((id) => id !== null))];
  session.send(SQL.lockGraph);
  session.send(SQL.lockTasks, tasks);
  const head = await lockHead(session);
  const [before] = await session.rows<DumpHead["rows"]>(SQL.countRows);
  const empty = before !== undefined && Object.values(before).every((count) => count === 0);
  const becomes = head.ledger !== source.ledger;
  if (becomes && !empty) throw notACopy(head.ledger, source.ledger);
  const piece = await readPiece(session, rows, tasks);
  const restored = piece.take(rows);
  writePiece(session, piece, tasks);
  for (const { id } of piece.tasks) head.numbers.keep(id);
  await writeHead(session, source, piece.events, head.numbers.last, becomes || head.restoring);
  return restored;
}

function taskOf(row: RestoreRow): number | null {
  const content = row.row ?? ("was" in row ? row.was : null);
  if (row.table === "event") return row.row.task;
  if (row.table === "task") return row.row.id;
  return content && "task" in content ? content.task : null;
}

/** What is here of all that the rows name. */
async function readPiece(session: Session, rows: readonly RestoreRow[], tasks: readonly number[]): Promise<Piece> {
  const keys = rows.flatMap((row) => (row.table === "task" && row.row.dedup_key ? [row.row.dedup_key] : []));
  const seqs = rows.flatMap((row) => (row.table === "event" ? [row.row.seq] : []));
  const [here, keyed, dependencies, evidence, events] = await Promise.all([
    session.rows<TaskRow>(SQL.tasks, tasks),
    session.rows<TaskRow>(SQL.byDedupKey, keys),
    session.rows<{ task: number; blocker: number }>(SQL.dependenciesOf, tasks),
    session.rows<{ task: number; path: string; sha256: string; size: number }>(SQL.evidenceOf, tasks),
    session.rows(SQL.eventsByNumber, seqs),
  ]);
  return new Piece({
    tasks: here.map(dumpTaskRow),
    keys: new Map(keyed.map((row) => [row.dedup_key ?? "", row.id])),
    dependencies,
    evidence,
    events: events.map((row) => dumpEvent(readEvent(row))),
  });
}

function writePiece(session: Session, piece: Piece, tasks: readonly number[]): void {
  if (piece.tasks.length > 0) session.send(SQL.restoreTasks, JSON.stringify(piece.tasks));
  for (const [statement, pairs] of [
    [SQL.removeDependencies, piece.dependencies.removed],
    [SQL.addDependencies, piece.dependencies.added],
  ] as const)
    if (pairs.length > 0)
      session.send(
        statement,
        pairs.map(({ task }) => task),
        pairs.map(({ blocker }) => blocker),
      );
  if (piece.evidence.removed.length > 0) session.send(SQL.removeEvidence, JSON.stringify(piece.evidence.removed));
  if (piece.evidence.added.length > 0) session.send(SQL.addEvidence, JSON.stringify(piece.evidence.added));
  if (piece.events.length > 0) session.send(SQL.restoreEvents, JSON.stringify(piece.events));
  session.send(SQL.restoreTold, tasks);
}

/** The newest event is always kept: with it here, numbers and time go on where the source's are. */
async function writeHead(
  session: Session,
  source: DumpHead,
  events: readonly LedgerEvent[],
  number: number,
  restoring: boolean,
): Promise<void> {
  const seq = Math.max(0, ...events.map((event) => event.seq));
  const at = Math.max(0, ...events.map((event) => event.at));
  const write = (unfinished: boolean) =>
    session.send(SQL.restoreHead, source.ledger, seq, at, source.pruned, number, unfinished);
  write(restoring);
  if (!restoring) return;
  const [[head], [counts]] = await Promise.all([
    session.rows<{ seq: number }>(SQL.head),
    session.rows<DumpHead["rows"]>(SQL.countRows),
  ]);
  if (!head || !counts) throw new Error("the ledger has no head");
  const tables = Object.keys(source.rows) as (keyof DumpHead["rows"])[];
  if (head.seq >= source.seq && tables.every((table) => counts[table] >= source.rows[table])) write(false);
}
