import type { Holder } from "../holder.ts";
import type { LeaseRow } from "../lease.ts";
import { badInput } from "../refusal.ts";
import type { EventDraft } from "./draft.ts";

/** Throws `BadInput` for a remark that says nothing. */
export function requireText(id: number, text: string): void {
  if (text.trim() === "") throw badInput("The note is empty.", `Type \`alai mc note ${id} "what happened"\`.`);
}

export function notedEvent(task: LeaseRow, text: string, by: Holder): EventDraft {
  return { task: task.id, kind: "noted", by, fence: task.fence, data: { text } };
}
