import type { StatusChange } from "@alai/core";
import type { Context } from "../../kit/context.ts";
import { printResults } from "../../kit/output.ts";
import { longText, MAX_REASON } from "../../kit/values.ts";
import { openLedger } from "../../mc/open.ts";
import { changedView } from "../../mc/views/task.ts";
import { callerFor } from "./shared.ts";

export const REASON_FLAG = {
  reason: { value: "TEXT", summary: "why, for the journal", parse: longText("reason", MAX_REASON) },
} as const;

/** What done, ready, pause, reopen and cancel have in common. */
export async function changeStatus(
  context: Context,
  ids: readonly number[],
  change: StatusChange,
  past: string,
  fence: number | undefined,
): Promise<void> {
  const ledger = await openLedger(context, "tasks");
  const tasks = await ledger.setStatus(ids, change, callerFor(context, ids, fence));
  await printResults(context, tasks, changedView(past), ids.length === 1);
}
