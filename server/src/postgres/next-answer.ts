import type { Grant, NextTask } from "@alai/core";
import { explainNext, taken } from "@alai/core/rules/next";
import type { KeptLease } from "./kept.ts";
import { wordLease } from "./lease-answer.ts";
import { readTask, rowFromJson } from "./rows.ts";
import type { Row } from "./types.ts";

/** What `alai.claim_next` gives of a task that was taken. */
export interface NextAnswer {
  readonly answer: KeptLease;
  /** Its row as it was before. */
  readonly task: Row;
  /** How many were ready, this one included. */
  readonly ready: number;
}

/** A task that was taken for a caller, in words. The lease's own rules must agree that it could be taken. */
export function wordNext({ answer, task: row, ready }: NextAnswer): NextTask {
  const { actor, session, moment } = answer;
  const grant = wordLease("claim", answer, { actor, session }, moment) as Grant;
  const task = readTask(rowFromJson(row), moment);
  return taken({ task, why: explainNext(task, ready, moment), grant: null }, grant);
}
