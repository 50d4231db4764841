import type { LedgerEvent } from "./event.ts";
import type { Holder } from "./holder.ts";
import type { LeaseState } from "./lease.ts";
import type { ListQuery, TaskFilter } from "./query.ts";
import type { Refusal } from "./refusal.ts";
import type { Evidence, NewTask, Task, TaskPatch } from "./task.ts";
import type { Millis } from "./time.ts";

/** Who asks, and under which claim. */
export interface Caller extends Holder {
  /** The fence the caller works under, when it says one; checked against the task's. */
  readonly fence?: number | undefined;
  /** Given when enforcement is off (`MC_LEASE_ENFORCE=0`): told of each refusal that was passed over. */
  readonly unenforced?: ((refusal: Refusal) => void) | undefined;
  /** Given when the call may be sent again after a lost answer: the change is then made once. */
  readonly request?: RequestKey | undefined;
}

/**
 * Names one call of a verb that changes something. The ledger keeps the key with the answer, in the transaction of the
 * change itself: the same key and content again gets that answer and changes nothing. Refusals are not kept: nothing changed.
 */
export interface RequestKey {
  /** 1 to 255 characters; of one subject's own choosing. */
  readonly key: string;
  /** A digest of everything that was asked. Another one under the same key is refused: `key_reused`. */
  readonly fingerprint: string;
  /** Told when the answer is one that was kept. */
  readonly replayed?: (() => void) | undefined;
}

/** How long a kept answer is good for a retry. */
export const REQUEST_MEMORY: Millis = 24 * 3_600_000;

/** A lease just granted or found. */
export interface Grant {
  readonly id: number;
  readonly title: string;
  readonly holder: string;
  readonly fence: number;
  readonly until: Millis;
  /** The length in force, in milliseconds: as long as each renewal makes it from then on. Until the end is `until`, not this. */
  readonly ttl: Millis;
  /** True when the caller held it already: a retry, with the same fence. */
  readonly idempotent: boolean;
  /** The holder whose lapsed lease was taken over. */
  readonly previous: string | null;
}

export interface LeaseStatus {
  readonly id: number;
  readonly title: string;
  readonly state: LeaseState;
  /** The holder, or the last one when the lease ran out; null when free. */
  readonly holder: string | null;
  readonly until: Millis | null;
  readonly fence: number;
  /** Whole seconds until expiry, negative after it; null when free. */
  readonly seconds_left: number | null;
  readonly mine: boolean;
}

export interface Released {
  readonly id: number;
  readonly fence: number;
  /** True when it was free already and the caller was its last holder. */
  readonly already_free: boolean;
}

export interface SweptLease {
  readonly id: number;
  readonly title: string;
  readonly holder: string;
  readonly until: Millis;
  readonly fence: number;
  readonly released: boolean;
}

export interface TaskPage {
  readonly tasks: Task[];
  /** The limit left some out. */
  readonly cut: boolean;
  /** Where the rest begins, for `ListQuery.after`; null when nothing was left out. */
  readonly next: string | null;
}

export interface EventQuery {
  /** Only events with a higher number. Throws `pruned` when some of those are not kept any more. */
  readonly after?: number | undefined;
  readonly task?: number | undefined;
  /** At most so many, the oldest first. */
  readonly limit?: number | undefined;
  /** The newest so many, in the journal's order. */
  readonly last?: number | undefined;
}

export interface Pruned {
  /** How many events were dropped now. */
  readonly dropped: number;
  /** The highest number up to which the journal is not complete any more; 0 when it never was pruned. */
  readonly through: number;
}

/** The next task and why it comes first. */
export interface NextTask {
  readonly task: Task;
  readonly why: readonly string[];
  readonly grant: Grant | null;
}

export interface TaskDetail extends Task {
  /** Newest last. */
  readonly history: readonly LedgerEvent[];
  /** Tasks that wait for this one. */
  readonly blocks: readonly number[];
  readonly children: readonly number[];
}

export interface Added {
  readonly task: Task;
  /** True when the dedup key was there already and this is that task. */
  readonly existing: boolean;
}

export type StatusVerb = "done" | "ready" | "paused" | "reopened" | "cancelled";

export interface StatusChange {
  readonly verb: StatusVerb;
  readonly evidence?: readonly Evidence[] | undefined;
  readonly reason?: string | undefined;
  /** Refuse `done` on a task that has no evidence, given now or before. */
  readonly requireEvidence?: boolean | undefined;
}

export interface Approval {
  readonly id: number;
  readonly reason: string;
  readonly until: Millis;
  readonly by: string;
}

export interface Stats {
  readonly store: string;
  /** The ledger's own id, made with it and kept by every copy: two stores with the same one hold the same ledger. */
  readonly ledger: string;
  readonly kind: "sqlite" | "postgres" | "http";
  readonly schema: number;
  readonly total: number;
  readonly by_status: Readonly<Record<string, number>>;
  readonly held: number;
  readonly expired: number;
  readonly blocked: number;
  readonly overdue: number;
  readonly events: number;
  readonly done_last_7_days: number;
  /** Median of created to done, milliseconds, over the last 500 done; null when there is none. */
  readonly median_time_to_done_ms: number | null;
  readonly now: Millis;
}

export interface ImportLine extends NewTask {
  /** The id the task had where it comes from: kept when it is free here, and how `parent` and `blocked_by` are resolved. */
  readonly id?: number | undefined;
  readonly created_at?: Millis | null | undefined;
  readonly done_at?: Millis | null | undefined;
  /** Blockers by their dedup keys, where the source has no numbers. */
  readonly blocked_by_keys?: readonly string[] | undefined;
  readonly notes?: readonly string[] | undefined;
  readonly evidence?: readonly Evidence[] | undefined;
}

export interface Imported {
  readonly added: number;
  readonly existing: number;
  /** Links to tasks that are neither here nor in the import, and so were left out. */
  readonly unresolved: number;
  /** Source id to the id here, where they differ. */
  readonly renumbered: Readonly<Record<number, number>>;
}

/**
 * The ledger: every verb of `alai mc`, on any store. Verbs throw `Refusal` (the state says no), `StoreError` (no answer,
 * nothing changed) or `BadInput`. A verb over several ids is one transaction: all or nothing.
 */
export interface Ledger {
  add(tasks: readonly NewTask[], caller: Caller): Promise<Added[]>;
  list(query: ListQuery): Promise<TaskPage>;
  get(ids: readonly number[]): Promise<TaskDetail[]>;
  edit(ids: readonly number[], patch: TaskPatch, caller: Caller, ifVersion?: number): Promise<Task[]>;
  note(ids: readonly number[], text: string, caller: Caller): Promise<LedgerEvent[]>;
  setStatus(ids: readonly number[], change: StatusChange, caller: Caller): Promise<Task[]>;
  addDependency(id: number, blockers: readonly number[], caller: Caller): Promise<Task>;
  removeDependency(id: number, blockers: readonly number[], caller: Caller): Promise<Task>;
  /** The first claimable task in urgency order; with `claim`, taken in the same transaction. Refuses `none_ready`. */
  next(filter: TaskFilter, caller: Caller, claim: { ttl: Millis } | null): Promise<NextTask>;
  claim(ids: readonly number[], caller: Caller, ttl: Millis): Promise<Grant[]>;
  /** @param ttl milliseconds from now; absent: as long as the lease was granted for. */
  extend(ids: readonly number[], caller: Caller, ttl?: Millis): Promise<Grant[]>;
  release(ids: readonly number[], caller: Caller): Promise<Released[]>;
  leaseStatus(ids: readonly number[], holder: Holder): Promise<LeaseStatus[]>;
  sweep(caller: Caller, autoRelease: boolean): Promise<SweptLease[]>;
  /** Records that others may act on a held task for a while. Never moves the lease. */
  approve(ids: readonly number[], reason: string, ttl: Millis, caller: Caller): Promise<Approval[]>;
  /** Approvals of a task that are still good. */
  approvals(id: number): Promise<Approval[]>;
  /** Reverses the caller's newest change, or the given event, by a compensating event. */
  undo(seq: number | null, caller: Caller): Promise<LedgerEvent>;
  events(query: EventQuery): Promise<LedgerEvent[]>;
  /**
   * Drops the events before `before` that nothing hangs on: what each holder last gained and gave up, imports and standing
   * approvals stay, so that no lease rule decides differently afterwards. Readers that ask for what was dropped are told so.
   */
  prune(before: Millis, caller: Caller): Promise<Pruned>;
  /** Resolves when something may have changed since the last call, or after `ms`. A hint, not a promise. */
  changed(ms: Millis): Promise<void>;
  import(lines: readonly ImportLine[], caller: Caller): Promise<Imported>;
  stats(): Promise<Stats>;
  close(): void;
}
