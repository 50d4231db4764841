import type { Caller, SweptLease } from "@alai/core";
import { leaseState } from "@alai/core/lease";
import { expiredEvent, lapsedLease } from "@alai/core/rules/release";
import type { Database } from "./database.ts";
import { Filters, READ_MOMENT } from "./filter.ts";
import { sendLines } from "./journal.ts";
import { readLocked } from "./lock.ts";
import { leaseOf, type TaskRow } from "./rows.ts";
import type { Session } from "./session.ts";
import { SQL } from "./sql.ts";

const COLUMNS = "t.id, t.title, t.lease_holder, t.lease_until, t.lease_fence";

/** Leases that ran out and that nobody released or took since. */
export async function listExpired(database: Database): Promise<SweptLease[]> {
  const expired = new Filters(READ_MOMENT).where({ status: [], expired: true });
  const text = `SELECT ${COLUMNS} FROM alai.tasks t WHERE ${expired} ORDER BY t.id`;
  const rows = await database.call({ text }, [], { repeatable: true });
  return rows.map((row) => lapsedLease(leaseOf(row as Partial<TaskRow>), String(row.title)));
}

/** Takes the holders off these. The fence is left alone, so a late holder may still finish. */
export async function releaseExpired(session: Session, caller: Caller): Promise<SweptLease[]> {
  const rows = await session.rows<{ id: number }>(SQL.lockExpired);
  const ids = rows.map(({ id }) => id);
  const tasks = await readLocked(session, ids, caller);
  // Some may have been renewed or taken while their rows were waited for.
  const leases = tasks
    .all()
    .filter(({ lease }) => leaseState(lease, tasks.now) === "expired")
    .map(({ lease, row }) => lapsedLease(lease, row.title))
    .sort((a, b) => a.id - b.id);
  if (leases.length === 0) return [];
  session.send(
    SQL.clearLeases,
    leases.map(({ id }) => id),
  );
  sendLines(
    session,
    tasks.now,
    leases.map((lease) => expiredEvent(lease, caller)),
  );
  return leases.map((lease) => ({ ...lease, released: true }));
}
