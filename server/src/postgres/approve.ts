import { type Approval, type Caller, formatHolder, type LedgerEvent, type Millis, notFound } from "@alai/core";
import { APPROVALS_AMONG, approvedEvent, liveApprovalsOf } from "@alai/core/rules/approve";
import { each } from "@alai/core/rules/each";
import type { Database } from "./database.ts";
import { sendLines } from "./journal.ts";
import { lockTasks } from "./lock.ts";
import { leaseOf, readEvent, type TaskRow } from "./rows.ts";
import type { Session } from "./session.ts";
import { SQL } from "./sql.ts";

/** Records that others may act on held tasks until `ttl` from now. The leases themselves are not touched. */
export async function approveTasks(
  session: Session,
  ids: readonly number[],
  reason: string,
  ttl: Millis,
  caller: Caller,
): Promise<Approval[]> {
  const tasks = await lockTasks(session, ids, caller);
  const until = tasks.now + ttl;
  const drafts = each(ids, (id) => approvedEvent(tasks.get(id).lease, reason, until, caller));
  sendLines(session, tasks.now, drafts);
  return drafts.map(({ task }) => ({ id: task ?? 0, reason, until, by: formatHolder(caller) }));
}

/** Approvals that are still good. Throws `not_found`. */
export function readApprovals(database: Database, id: number): Promise<Approval[]> {
  return database.read(async (session) => {
    const [[row], [head], events] = await Promise.all([
      session.rows<TaskRow>(SQL.tasks, [id]),
      session.rows<{ now: Millis }>(SQL.head),
      session.rows(SQL.lastEventsOfTask, 0, APPROVALS_AMONG, id),
    ]);
    if (!row) throw notFound(id);
    const newest: LedgerEvent[] = events.reverse().map(readEvent);
    return liveApprovalsOf(leaseOf(row), newest, head?.now ?? 0);
  });
}
