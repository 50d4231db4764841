import { type Caller, type Ledger, type Millis, type NextTask, Refusal, type TaskFilter } from "@alai/core";

/** The task to do next. Throws `none_ready`, which tells a ledger where nothing is open from one where all is taken. */
export async function nextTask(
  ledger: Ledger,
  filter: TaskFilter,
  caller: Caller,
  claim: { readonly ttl: Millis } | null,
): Promise<NextTask> {
  try {
    return await ledger.next(filter, caller, claim);
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== "none_ready") throw error;
    const { tasks } = await ledger.list({ limit: 1, fields: ["id"] });
    if (tasks.length > 0) throw error;
    throw new Refusal("none_ready", "The ledger has no open task.", { hint: "`alai mc add TITLE` adds one." });
  }
}
