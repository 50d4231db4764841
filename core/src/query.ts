import type { Task } from "./task.ts";
import type { Millis } from "./time.ts";
import type { Priority } from "./vocabulary.ts";

export const SORT_KEYS = [
  "urgency",
  "id",
  "priority",
  "due",
  "created",
  "updated",
  "status",
  "project",
  "title",
] as const;
export type SortKey = (typeof SORT_KEYS)[number];

/** One order criterion. */
export interface Sort {
  readonly key: SortKey;
  readonly descending: boolean;
}

/** Which tasks. Every given criterion must hold; values inside one are alternatives (tags: all of them). */
export interface TaskFilter {
  /** Statuses in our words or the file's own; absent means open work (`open`, `ready`); empty means any. */
  readonly status?: readonly string[] | undefined;
  readonly project?: readonly string[] | undefined;
  readonly owner?: readonly string[] | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly priority?: readonly Priority[] | undefined;
  /** Words that title or description contain, without regard to case. */
  readonly text?: readonly string[] | undefined;
  readonly parent?: number | undefined;
  /** Held now by this `actor:session`. */
  readonly heldBy?: string | undefined;
  readonly held?: boolean | undefined;
  /** Nobody holds it now, lapsed leases included. */
  readonly free?: boolean | undefined;
  /** A lease ran out and nobody released or took it. */
  readonly expired?: boolean | undefined;
  /** Waits for an open blocker. */
  readonly blocked?: boolean | undefined;
  readonly dueBefore?: Millis | undefined;
}

/** What `list` is asked. */
export interface ListQuery extends TaskFilter {
  readonly sort?: readonly Sort[] | undefined;
  /** 0 or absent: all. */
  readonly limit?: number | undefined;
  /** Where an earlier page of the same query ended (`TaskPage.next`). Throws `BadInput` when it is not one of this order. */
  readonly after?: string | undefined;
  /** Only these fields are read from the store (speed); absent: all. */
  readonly fields?: readonly (keyof Task)[] | undefined;
}
