import type { DumpEvidence, DumpHead, DumpQuery, DumpRow, DumpTask, Millis } from "@alai/core";
import { requireKept } from "@alai/core";
import { dumpEvent, dumpTask } from "@alai/core/dump-rows";
import type { Database } from "./database.ts";
import { readEvent, readTask, type TaskRow } from "./rows.ts";
import type { Session } from "./session.ts";
import { SQL } from "./sql.ts";
import type { Row } from "./types.ts";

/** Rows that are fetched at once. */
const PIECE = 500;

export function readHead(database: Database): Promise<DumpHead> {
  return database.read(async (session) => {
    const [[head], [rows]] = await Promise.all([
      session.rows<{ ledger: string; seq: number; at: Millis; pruned: number }>(SQL.head),
      session.rows<DumpHead["rows"]>(SQL.countRows),
    ]);
    if (!head || !rows) throw new Error("the ledger has no head");
    const { ledger, seq, at, pruned } = head;
    return { ledger, seq, at, pruned, rows };
  });
}

/** Rows of one moment, some at a time: others go on reading and writing meanwhile. */
export async function* dumpRows(database: Database, query: DumpQuery = {}): AsyncGenerator<DumpRow> {
  const { after } = query;
  const reading = await database.hold();
  const { session } = reading;
  try {
    // Its reader may be slow, and the whole of it long.
    session.sendText("SET LOCAL idle_in_transaction_session_timeout = '15min'; SET LOCAL statement_timeout = 0");
    const [head] = await session.rows<{ pruned: number }>(SQL.head);
    if (after !== undefined) requireKept(after, head?.pruned ?? 0);
    const concerned = (column: string) => concernedTasks(query, column);
    yield* pieces(session, `SELECT t.* FROM alai.tasks t ${concerned("t.id")} ORDER BY t.id`, taskRow);
    const dependencies = `SELECT d.task, d.blocker FROM alai.dependencies d ${concerned("d.task")} ORDER BY d.task, d.blocker`;
    yield* pieces(session, dependencies, dependencyRow);
    const evidence = `SELECT e.task, e.path, e.sha256, e.size FROM alai.evidence e ${concerned("e.task")}
GROUP BY e.task, e.path, e.sha256, e.size ORDER BY e.task, min(e.id)`;
    yield* pieces(session, evidence, evidenceRow);
    yield* pieces(
      session,
      `SELECT e.* FROM alai.events e WHERE e.seq > ${Number(after ?? 0)} ORDER BY e.seq`,
      eventRow,
    );
  } catch (error) {
    throw reading.failed(error);
  } finally {
    await reading.end();
  }
}

/** A condition for the tasks that the query is about, by this column. */
function concernedTasks({ after, held }: DumpQuery, column: string): string {
  if (after === undefined) return "";
  const holding = held ? " UNION SELECT h.id FROM alai.tasks h WHERE h.lease_holder IS NOT NULL" : "";
  return `WHERE ${column} IN (SELECT c.task FROM alai.events c WHERE c.seq > ${Number(after)} AND c.task IS NOT NULL${holding})`;
}

async function* pieces(session: Session, sql: string, read: (row: Row) => DumpRow): AsyncGenerator<DumpRow> {
  session.sendText(`DECLARE piece NO SCROLL CURSOR FOR ${sql}`);
  for (;;) {
    const rows = await session.rows({ text: `FETCH ${PIECE} FROM piece` });
    yield* rows.map(read);
    if (rows.length < PIECE) break;
  }
  session.sendText("CLOSE piece");
}

export function dumpTaskRow(row: TaskRow): DumpTask {
  return dumpTask(readTask(row, 0), row.lease_ttl || null);
}

function taskRow(row: Row): DumpRow {
  return { table: "task", row: dumpTaskRow(row as unknown as TaskRow) };
}

function dependencyRow({ task, blocker }: Row): DumpRow {
  return { table: "dependency", row: { task: Number(task), blocker: Number(blocker) } };
}

function evidenceRow({ task, path, sha256, size }: Row): DumpRow {
  return { table: "evidence", row: { task, path, sha256, size } as DumpEvidence };
}

function eventRow(row: Row): DumpRow {
  return { table: "event", row: dumpEvent(readEvent(row)) };
}
