/** The words of the ledger and the words other programs use for the same. Read for showing and filtering, never rewritten. */

export const STATUSES = ["open", "ready", "paused", "done", "cancelled"] as const;
export type Status = (typeof STATUSES)[number];

/** Statuses in which a task can be claimed: work that is neither finished nor put aside. */
export const LIVE_STATUSES: readonly Status[] = ["open", "ready"];
export const CLOSED_STATUSES: readonly Status[] = ["done", "cancelled"];

/** Lower-case spellings found in other ledgers, by our word: ours first, then the likeliest to be meant by a new task. */
export const STATUS_SPELLINGS: Readonly<Record<Status, readonly string[]>> = {
  open: [
    "open",
    "todo",
    "to do",
    "to-do",
    "pending",
    "new",
    "backlog",
    "reopened",
    "in_progress",
    "in-progress",
    "in progress",
    "inprogress",
    "doing",
    "active",
    "started",
    "wip",
    "claimed",
    "assigned",
  ],
  ready: ["ready", "triaged"],
  paused: ["paused", "blocked", "on_hold", "on-hold", "on hold", "hold", "waiting", "deferred", "snoozed"],
  done: ["done", "completed", "complete", "closed", "finished", "resolved", "archived"],
  cancelled: [
    "cancelled",
    "canceled",
    "wontfix",
    "won't fix",
    "wont_fix",
    "dropped",
    "deleted",
    "rejected",
    "duplicate",
    "abandoned",
  ],
};

const STATUS_BY_SPELLING = new Map<string, Status>(
  STATUSES.flatMap((status) => STATUS_SPELLINGS[status].map((word) => [word, status] as const)),
);

/** Our word for a stored status, or null when it is not known here (kept, shown as it is, never claimable). */
export function readStatus(raw: unknown): Status | null {
  return STATUS_BY_SPELLING.get(String(raw).toLowerCase()) ?? null;
}

export const PRIORITIES = [0, 1, 2, 3, 4] as const;
export type Priority = (typeof PRIORITIES)[number];
export const DEFAULT_PRIORITY: Priority = 2;

/** Lower-case spellings of priorities, 0 highest to 4. */
export const PRIORITY_SPELLINGS: readonly (readonly string[])[] = [
  ["0", "p0", "critical", "urgent", "highest", "blocker"],
  ["1", "p1", "high", "h", "important"],
  ["2", "p2", "medium", "m", "normal", "med", "moderate"],
  ["3", "p3", "low", "l", "minor"],
  ["4", "p4", "lowest", "trivial", "none", "someday"],
];

const PRIORITY_BY_SPELLING = new Map<string, Priority>(
  PRIORITY_SPELLINGS.flatMap((words, n) => words.map((word) => [word, n as Priority] as const)),
);

/** The number for a stored priority, or null when it is not known here. */
export function readPriority(raw: unknown): Priority | null {
  if (raw === null || raw === undefined || raw === "") return null;
  return PRIORITY_BY_SPELLING.get(String(raw).trim().toLowerCase()) ?? null;
}
