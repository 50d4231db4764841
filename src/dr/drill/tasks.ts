import type { Ledger, NewTask } from "@alai/core";
import type { Context } from "../../kit/context.ts";
import { toFailure } from "../../kit/errors.ts";
import { openLedger } from "../../mc/open.ts";
import type { DrillReport, FiledTask, Finding } from "./report.ts";

type Drill = Pick<DrillReport, "id" | "findings" | "verdict">;

/**
 * Puts findings into Mission Control, each once: what an earlier drill found has its task, which is opened again where it was done.
 * Throws nothing: a ledger that does not answer is said, and the report stands.
 */
export async function fileTasks(
  context: Context,
  drill: Drill,
): Promise<{ readonly filed: readonly FiledTask[]; readonly trouble: string | null }> {
  if (drill.findings.length === 0) return { filed: [], trouble: null };
  try {
    const ledger = await openLedger(context, "write");
    return { filed: await fileAll(ledger, context, drill), trouble: null };
  } catch (error) {
    return { filed: [], trouble: toFailure(error).message };
  }
}

async function fileAll(ledger: Ledger, context: Context, drill: Drill): Promise<readonly FiledTask[]> {
  const caller = context.caller();
  const added = await ledger.add(
    drill.findings.map((finding) => taskOf(finding, drill.id)),
    caller,
  );
  const filed: FiledTask[] = [];
  for (const { task, existing } of added) {
    const { id, status, dedup_key } = task;
    const isBack = existing && status === "done";
    if (isBack)
      await ledger.setStatus([id], { verb: "reopened", reason: `The drill ${drill.id} found it again.` }, caller);
    const known = status === "cancelled" ? "cancelled" : "known";
    filed.push({ id, dedupKey: dedup_key ?? "", state: isBack ? "reopened" : existing ? known : "new" });
  }
  return filed;
}

/** The same finding has the same key tomorrow. */
export function dedupKey({ kind, subject }: Pick<Finding, "kind" | "subject">): string {
  return `dr-drill:${kind}:${subject}`;
}

function taskOf(finding: Finding, id: string): NewTask {
  const { sentence, remedy, verdict, priority, owner, due } = finding;
  return {
    title: `DR drill: ${sentence}`.slice(0, 300),
    description: `${sentence}\n\n${remedy}\n\nFound first by the drill ${id} (${verdict}). alai dr drill --isolated tries it again.`,
    ...{ priority, owner, due, project: "dr", tags: ["dr", "drill"], dedup_key: dedupKey(finding) },
  };
}
