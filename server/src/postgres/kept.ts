import type { Millis } from "@alai/core";
import type { LeaseAnswer, LeaseVerb } from "./lease-answer.ts";
import type { TaskRow } from "./rows.ts";

/** One task of a call that a function of the database made; the last two of `next` only. */
export type KeptTask = readonly [call: number, task: number, answer: LeaseAnswer, row: TaskRow, ready: number];

/** What is kept of a call that a function of the database made. */
interface KeptOutcome {
  readonly verb: LeaseVerb | "next";
  readonly moment: Millis;
  readonly tasks: readonly KeptTask[];
}

/** What is kept of any other: the answer as it is. */
interface KeptValue {
  readonly value: unknown;
}

/** `alai.requests.answer`. */
export type Kept = KeptOutcome | KeptValue;
