import { type Failure, Refusal } from "../refusal.ts";

/**
 * One verb over several tasks in one transaction. Every task is tried, so that the refusal can name each that failed;
 * one failure undoes all. A single task's refusal is thrown as it is.
 * @param kind what a refusal has to say: of a change that none was made, of a look only why.
 */
export function each<T>(ids: readonly number[], verb: (id: number) => T, kind: "change" | "look" = "change"): T[] {
  const results: T[] = [];
  const refusals: Refusal[] = [];
  for (const id of new Set(ids)) {
    try {
      results.push(verb(id));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      refusals.push(error);
    }
  }
  const first = refusals[0];
  if (!first) return results;
  if (ids.length === 1) throw first;
  const failures: Failure[] = refusals.map((refusal) => ({
    id: refusal.taskId ?? 0,
    code: refusal.code,
    message: refusal.message,
  }));
  throw new Refusal(
    first.code,
    `${kind === "change" ? `Nothing was changed, because of ${failures.length} of ${ids.length}: ` : ""}${sentences(failures)}`,
    { failures, hint: "Leave these out and try again.", ...(first.taskId !== undefined && { taskId: first.taskId }) },
  );
}

/** Each failure's own sentence, with the full stop that a lease's lacks. */
function sentences(failures: readonly Failure[]): string {
  return failures.map(({ message }) => message.replace(/\.?$/, ".")).join(" ");
}
