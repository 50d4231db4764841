import type { Breach, Level, Status } from "./status.ts";

/** Worst first. What is known to be wrong is worse than what is not known. */
export const WORST_FIRST = ["breached", "unknown", "unproven", "degraded"] as const satisfies readonly Level[];

const BREACHES: Readonly<Record<Breach, string>> = {
  missing: "missing on the primary",
  damaged: "damaged on the primary",
  foreign: "that somebody else writes",
  late: "older in storage than the tier allows",
  unrestorable: "that storage cannot restore",
  proof_failed: "whose last checked restore failed",
  not_proven: "without a checked restore for 36 h",
};

/** What the status comes to, with how many databases each part of it is about. */
export function headline({ level, databases }: Pick<Status, "level" | "databases">): string {
  const count = databases.filter((database) => database.level === level).length;
  const part = `${count} of ${databases.length} databases`;
  if (level === "ok") return "The data is safe.";
  if (level === "breached") return `Breached: ${part}: ${breachCounts(databases)}.`;
  if (level === "unknown") return `It is not known whether the data of ${part} is safe.`;
  if (level === "unproven") return `Unproven: that the data of ${part} is safe only Litestream says.`;
  return `Something is not as it should be with ${count === 0 ? "a host or storage" : part}.`;
}

/** One database may be in several. */
function breachCounts(databases: Status["databases"]): string {
  const kinds = Object.entries(BREACHES) as [Breach, string][];
  return kinds
    .map(([kind, text]) => ({ text, count: databases.filter(({ breaches }) => breaches.includes(kind)).length }))
    .filter(({ count }) => count > 0)
    .map(({ text, count }) => `${count} ${text}`)
    .join(", ");
}
