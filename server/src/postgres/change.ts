import { answers, type Caller, inFlight, type Millis, type Refusal, requestOf } from "@alai/core";
import type { Changes } from "./changes.ts";
import type { Database } from "./database.ts";
import type { Kept } from "./kept.ts";
import { wordKept } from "./request-keys.ts";
import type { Session } from "./session.ts";
import { SQL } from "./sql.ts";

/** What a verb does inside its transaction. It may be run again, after all it did was undone. */
export type Change<T> = (session: Session, caller: Caller) => Promise<T>;

interface KeptRow {
  readonly fingerprint: string;
  readonly at: Millis;
  readonly answer: Kept;
}

/**
 * Makes a change in one transaction, once for each request key of the caller: the answer is kept in the transaction of the
 * change, so that either both are there or neither. Throws `in_flight` while another transaction is at work under the key.
 */
export async function change<T>(database: Database, changes: Changes, caller: Caller, body: Change<T>): Promise<T> {
  const request = requestOf(caller);
  const done = await database.write(
    async (session) => {
      const passedOver: Refusal[] = [];
      // What enforcement would have refused is told once, when it is certain: not by an attempt that was undone.
      const by = caller.unenforced ? { ...caller, unenforced: (refusal: Refusal) => passedOver.push(refusal) } : caller;
      const kept = request ? await findAnswer(session, caller) : null;
      if (kept) return { answer: wordKept(kept) as T, replayed: true, passedOver };
      const answer = await body(session, by as Caller);
      if (request)
        session.send(SQL.keepAnswer, caller.actor, request.key, request.fingerprint, JSON.stringify({ value: answer }));
      return { answer, replayed: false, passedOver };
    },
    { repeatable: request !== null },
  );
  if (done.replayed) request?.replayed?.();
  else changes.wrote(null);
  for (const refusal of done.passedOver) caller.unenforced?.(refusal);
  return done.answer;
}

/** What was kept under the caller's key and counts. Throws `in_flight`, `key_reused`. */
async function findAnswer(session: Session, caller: Caller): Promise<Kept | null> {
  const request = requestOf(caller);
  if (!request) return null;
  const [[lock], [moment], [kept]] = await Promise.all([
    session.rows<{ free: boolean }>(SQL.lockRequest, caller.actor, request.key),
    session.rows<{ now: Millis }>(SQL.moment),
    session.rows<KeptRow>(SQL.findRequest, caller.actor, request.key),
  ]);
  if (!lock?.free) throw inFlight(request.key);
  return kept && answers(kept, request, moment?.now ?? 0) ? kept.answer : null;
}
