import type { LeaseState } from "./lease.ts";
import type { Millis } from "./time.ts";
import type { Priority, Status } from "./vocabulary.ts";

/** A file that shows the work was done: what it was, not where a copy is kept. */
export interface Evidence {
  readonly path: string;
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
}

/** A unit of work. Times are milliseconds UTC; null means not set. */
export interface Task {
  readonly id: number;
  readonly title: string;
  readonly description: string | null;
  /** Our word, or the stored text when it is not one we know. */
  readonly status: Status | (string & {});
  /** The stored text when it is not our own spelling. */
  readonly status_raw: string | null;
  /** 0 highest to 4; null when another program stored something we cannot read. */
  readonly priority: Priority | null;
  readonly priority_raw: string | null;
  readonly project: string | null;
  readonly owner: string | null;
  readonly tags: readonly string[];
  readonly parent: number | null;
  /** Ids of the tasks that must be closed before this one can be claimed. */
  readonly blocked_by: readonly number[];
  readonly due: Millis | null;
  readonly deferred_until: Millis | null;
  readonly evidence: readonly Evidence[];
  readonly dedup_key: string | null;
  /** Rises by one with every change of the task's content. */
  readonly version: number;
  readonly created_at: Millis | null;
  readonly updated_at: Millis | null;
  readonly done_at: Millis | null;
  readonly lease_state: LeaseState;
  readonly lease_holder: string | null;
  readonly lease_until: Millis | null;
  readonly fence: number;
  /** How often it was acquired. */
  readonly attempts: number;
  /** Columns of an adopted file that this program does not know, as they are. */
  readonly extra: Readonly<Record<string, unknown>>;
}

/** What a caller may set when it adds a task. */
export interface NewTask {
  readonly title: string;
  readonly description?: string | null | undefined;
  readonly status?: Status | undefined;
  readonly priority?: Priority | undefined;
  readonly project?: string | null | undefined;
  readonly owner?: string | null | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly parent?: number | null | undefined;
  readonly blocked_by?: readonly number[] | undefined;
  readonly due?: Millis | null | undefined;
  readonly deferred_until?: Millis | null | undefined;
  readonly dedup_key?: string | null | undefined;
}

/** What `edit` may change. Absent: left alone. Null: cleared. */
export interface TaskPatch {
  readonly title?: string | undefined;
  readonly description?: string | null | undefined;
  readonly priority?: Priority | undefined;
  readonly project?: string | null | undefined;
  readonly owner?: string | null | undefined;
  readonly addTags?: readonly string[] | undefined;
  readonly removeTags?: readonly string[] | undefined;
  readonly parent?: number | null | undefined;
  readonly due?: Millis | null | undefined;
  readonly deferred_until?: Millis | null | undefined;
}
