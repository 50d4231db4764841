import { type HolderMemory, type Millis, notFound, type Task } from "@alai/core";
import type { Caller } from "@alai/core/ledger";
import type { LockedTask } from "@alai/core/rules/locked-task";
import { lockedOf, readTask, type TaskRow } from "./rows.ts";
import type { Session } from "./session.ts";
import { SQL } from "./sql.ts";

/** A task whose row is locked, with what the rules ask of the journal about the caller. */
export interface Locked {
  readonly row: TaskRow;
  readonly task: Task;
  readonly lease: LockedTask;
  readonly memory: () => HolderMemory;
}

/** Tasks that are locked until the transaction ends, and the moment to decide at. */
export class LockedTasks {
  readonly now: Millis;
  readonly #byId: ReadonlyMap<number, Locked>;

  constructor(now: Millis, tasks: readonly Locked[]) {
    this.now = now;
    this.#byId = new Map(tasks.map((locked) => [locked.row.id, locked]));
  }

  /** Throws `not_found`. */
  get(id: number): Locked {
    const locked = this.#byId.get(id);
    if (!locked) throw notFound(id);
    return locked;
  }

  all(): Locked[] {
    return [...this.#byId.values()];
  }
}

type LockedRow = TaskRow & { my_fence: number | null; my_end: boolean | null };

/**
 * Takes the rows, then reads the clock, then what is decided on: three statements in one round trip, each seeing what was
 * committed before it began (design.md, "The lease", 1 and 2).
 */
export async function lockTasks(session: Session, ids: readonly number[], caller: Caller): Promise<LockedTasks> {
  session.send(SQL.lockTasks, ids);
  return readLocked(session, ids, caller);
}

/** As `lockTasks`, for rows that are locked already. */
export async function readLocked(session: Session, ids: readonly number[], caller: Caller): Promise<LockedTasks> {
  const [moment, rows] = await Promise.all([
    session.rows<{ now: Millis }>(SQL.moment),
    session.rows<LockedRow>(SQL.readLocked, ids, caller.actor, caller.session),
  ]);
  const now = moment[0]?.now ?? Number.NaN;
  return new LockedTasks(
    now,
    rows.map((row) => lockedFrom(row, now)),
  );
}

function lockedFrom(row: LockedRow, now: Millis): Locked {
  const memory = { fence: row.my_fence, ended: row.my_end ?? true };
  return { row, task: readTask(row, now), lease: lockedOf(row), memory: () => memory };
}
