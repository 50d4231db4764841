import { readFileSync } from "node:fs";
import type { Millis } from "@alai/core";
import { replaceDurably } from "./durable.ts";

/** What is known of a working copy, beside it. */
export interface CopyState {
  /** Where the files came from: `e1/mc`. Another epoch's files fit no other epoch's copy. */
  readonly replica: string;
  /** The copy holds exactly this, or `target` where that is more: a crash came between. 0: it is worth nothing. */
  readonly applied: number;
  /** What the last batch reaches. Where it is more than `applied`, the next batch must reach it too, or the copy would be a mixture. */
  readonly target: number;
  /** The time in the header of the last file that was applied. */
  readonly time: Millis | null;
  readonly reseeds: number;
  /** Why the copy was made anew the last time. */
  readonly why: string | null;
}

export const NOTHING: CopyState = {
  replica: "",
  applied: 0,
  target: 0,
  time: null,
  reseeds: 0,
  why: null,
};

/** @returns `NOTHING` where there is no such file, or none that makes sense: the copy is then made anew. */
export function readState(path: string): CopyState {
  try {
    const state = JSON.parse(readFileSync(path, "utf8")) as CopyState;
    const numbers = [state.applied, state.target, state.reseeds];
    return numbers.every(Number.isSafeInteger) && typeof state.replica === "string"
      ? { ...NOTHING, ...state }
      : NOTHING;
  } catch {
    return NOTHING;
  }
}

export function writeState(path: string, state: CopyState): void {
  replaceDurably(path, `${JSON.stringify(state)}\n`);
}
