import pg from "pg";
import type { Operation } from "../history.ts";
import { finalRow, type Journal, journalEvent } from "../invariants.ts";

/** Reads journal and rows from the database itself, past core and server. */
export async function journalOf(databaseUrl: string): Promise<Journal> {
  const client = new pg.Client(databaseUrl);
  await client.connect();
  try {
    const events = await client.query(
      "SELECT seq, task AS task_id, kind, actor, session, fence, data, (extract(epoch FROM at) * 1000)::bigint AS ms FROM alai.events ORDER BY seq",
    );
    const rows = await client.query("SELECT id, lease_holder AS holder, lease_fence AS fence FROM alai.tasks");
    return {
      events: events.rows.map((row) => journalEvent(row, Number(row.ms), row.data ?? {})),
      rows: new Map(rows.rows.map((row) => [Number(row.id), finalRow(row)])),
    };
  } finally {
    await client.end();
  }
}

/** Postgres rounds its clock to milliseconds, Node cuts: a reading of one may be a millisecond off the other. */
export function roundedClock(history: readonly Operation[]): Operation[] {
  return history.map((op) => ({ ...op, wallCall: op.wallCall - 1, wallReturn: op.wallReturn + 1 }));
}
