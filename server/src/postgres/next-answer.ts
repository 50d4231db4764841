import type { Grant, Millis, NextTask } from "@alai/core";
import { explainNext, taken } from "@alai/core/rules/next";
import type { KeptTask } from "./kept.ts";
import { wordLease } from "./lease-answer.ts";
import { readTask, rowFromJson } from "./rows.ts";

/** The task that `alai.claim_next` took for a caller, in words. The lease's own rules must agree that it could be taken. */
export function wordNext([, id, answer, row, ready]: KeptTask, now: Millis): NextTask {
  const grant = wordLease("claim", id, answer, undefined, now) as Grant;
  const task = readTask(rowFromJson({ ...row }), now);
  return taken({ task, why: explainNext(task, ready, now), grant: null }, grant);
}
