import type { AlarmFinding } from "./notice.ts";

/** How many subjects of one kind are named; the others are counted. */
const NAMED = 5;

/** Alarms in a few words, the urgent ones first: `damaged: crm, ledger; storage`. */
export function alarmList(alarms: readonly AlarmFinding[]): string {
  const urgentFirst = [...alarms].sort((one, other) => Number(other.urgent) - Number(one.urgent));
  const byKind = Map.groupBy(urgentFirst, ({ kind }) => kind);
  return [...byKind].map(([kind, all]) => ofKind(kind, all)).join("; ");
}

function ofKind(kind: string, all: readonly AlarmFinding[]): string {
  const words = all
    .map(({ subject, says }) => [subject, says].filter(Boolean).join(", ").replace(/\.$/, ""))
    .filter(Boolean);
  if (words.length === 0) return kind;
  const more = words.length > NAMED ? ` and ${words.length - NAMED} more` : "";
  return `${kind}: ${words.slice(0, NAMED).join(", ")}${more}`;
}
