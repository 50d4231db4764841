import { type EventQuery, type LedgerEvent, type Millis, notFound, requireKept } from "@alai/core";
import type { EventDraft } from "@alai/core/rules/draft";
import type { Database } from "./database.ts";
import { readEvent } from "./rows.ts";
import type { Session } from "./session.ts";
import { SQL } from "./sql.ts";
import type { Row } from "./types.ts";

/** Drafts as `alai.append` reads them. */
function toJson(drafts: readonly EventDraft[]): string {
  return JSON.stringify(
    drafts.map(({ task, kind, by, fence = null, data = null }) => ({
      task,
      kind,
      actor: by.actor,
      session: by.session,
      fence,
      data,
    })),
  );
}

/** Writes lines of the journal, the last change of a transaction: from here to the commit every other writer waits. */
export async function append(session: Session, now: Millis, drafts: readonly EventDraft[]): Promise<LedgerEvent[]> {
  if (drafts.length === 0) return [];
  const [head] = await session.rows<{ last: number; at: Millis }>(SQL.append, toJson(drafts), now);
  if (!head) throw new Error("the journal gave no number");
  const first = head.last - drafts.length + 1;
  return drafts.map(({ task, kind, by, fence = null, data }, i) => ({
    seq: first + i,
    task,
    kind,
    at: head.at,
    actor: by.actor,
    session: by.session,
    fence,
    data: data ?? {},
  }));
}

/** As `append`, where nobody asks for the numbers: in one round trip with the commit. */
export function sendLines(session: Session, now: Millis, drafts: readonly EventDraft[]): void {
  if (drafts.length > 0) session.send(SQL.append, toJson(drafts), now);
}

/**
 * Events after a sequence number, oldest first; or the `last` few. Throws `pruned` when some after that number are not kept
 * any more. Without a number it is what there is. Throws `not_found` for a task that there is not.
 */
export function listEvents(database: Database, query: EventQuery): Promise<LedgerEvent[]> {
  const { after = 0, task, last } = query;
  return database.read(async (session) => {
    const [heads, rows] = await Promise.all([
      session.rows<{ pruned: number }>(SQL.head),
      readEvents(session, after, task, last, query.limit),
    ]);
    if (query.after !== undefined) requireKept(query.after, heads[0]?.pruned ?? 0);
    if (rows.length === 0 && task !== undefined && (await session.rows(SQL.existing, [task])).length === 0)
      throw notFound(task);
    return rows.map(readEvent);
  });
}

async function readEvents(
  session: Session,
  after: number,
  task: number | undefined,
  last: number | undefined,
  limit: number | undefined,
): Promise<Row[]> {
  const most = last ?? (limit === undefined || limit < 0 ? null : limit);
  const values = task === undefined ? [after, most] : [after, most, task];
  if (last === undefined) return session.rows(task === undefined ? SQL.events : SQL.eventsOfTask, ...values);
  const newest = await session.rows(task === undefined ? SQL.lastEvents : SQL.lastEventsOfTask, ...values);
  return newest.reverse();
}
