import type { Millis } from "@alai/core";
import type { Session } from "./session.ts";
import { SQL } from "./sql.ts";

/** The ledger's head, locked: until the commit no other task is added and no other line is written. */
export interface LockedHead {
  readonly seq: number;
  readonly at: Millis;
  readonly ledger: string;
  readonly pruned: number;
  readonly restoring: boolean;
  readonly now: Millis;
  readonly numbers: Numbers;
}

/** Gives out task numbers: each once, rising. */
export class Numbers {
  #last: number;
  #changed = false;

  constructor(last: number) {
    this.#last = last;
  }

  /** The highest that was ever given out. */
  get last(): number {
    return this.#last;
  }

  next(): number {
    this.keep(this.#last + 1);
    return this.#last;
  }

  /** This one is in use: later ones are higher. */
  keep(id: number): void {
    if (id <= this.#last) return;
    this.#last = id;
    this.#changed = true;
  }

  save(session: Session): void {
    if (this.#changed) session.send(SQL.takeNumbers, this.#last);
  }
}

type HeadRow = Omit<LockedHead, "now" | "numbers"> & { task: number };

export async function lockHead(session: Session): Promise<LockedHead> {
  const [[head], [moment]] = await Promise.all([
    session.rows<HeadRow>(SQL.lockHead),
    session.rows<{ now: Millis }>(SQL.moment),
  ]);
  if (!head || !moment) throw new Error("the ledger has no head");
  const { task, ...rest } = head;
  return { ...rest, now: moment.now, numbers: new Numbers(task) };
}
