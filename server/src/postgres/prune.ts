import { badInput, type Millis, type Pruned } from "@alai/core";
import { lockHead } from "./numbers.ts";
import type { Session } from "./session.ts";
import { SQL } from "./sql.ts";

/** Drops what is older than `before` and that nothing hangs on. Throws `BadInput` when that is no time. */
export async function pruneEvents(session: Session, before: Millis): Promise<Pruned> {
  if (Number.isNaN(before)) throw badInput("Prune needs the time before which events are dropped.");
  const head = await lockHead(session);
  // Nothing is newer than now, and nothing older than 1970: within these any number can be written as a time.
  const limit = Math.trunc(Math.min(Math.max(before, 0), head.now + 1));
  const [events] = await session.rows<Pruned>(SQL.pruneEvents, limit, head.now);
  const [undone] = await session.rows<Pruned>(SQL.pruneUndone, limit);
  const dropped = (events?.dropped ?? 0) + (undone?.dropped ?? 0);
  const through = Math.max(head.pruned, events?.through ?? 0, undone?.through ?? 0);
  if (dropped > 0) session.send(SQL.setPruned, through);
  return { dropped, through };
}
