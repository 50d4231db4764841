import type { Millis } from "@alai/core";

export type NoticeKind =
  /** Missed on all paths, often enough in a row. */
  | "down"
  /** Down for so long that a person is told directly. */
  | "escalated"
  | "recovered"
  /** Up, but no longer by this path; or with alarms, these. */
  | "degraded"
  | "path_back"
  /** Somebody has it in hand. */
  | "acknowledged";

/** Something to say, once. */
export interface Notice {
  /** The same for the same event, whoever says it how often: what says it twice can be told by it. */
  readonly id: string;
  readonly kind: NoticeKind;
  readonly host: string;
  /** The outage, or the alarms, that it belongs to; null for what belongs to none. */
  readonly incident: string | null;
  /** By the watcher's clock. */
  readonly at: Millis;
  /** When it began, by the watcher's clock. */
  readonly since: Millis;
  /** For how long it is, or was, so; measured without the wall clock while the watcher runs. */
  readonly lasted: Millis;
  /** The path of `degraded` and `path_back`. */
  readonly path: string | null;
  /** What each path last said. */
  readonly paths: readonly PathFinding[];
  /** What the host says is wrong, where it is told of that; null, or absent in what an earlier version kept: it is not. */
  readonly alarms?: readonly AlarmFinding[] | null | undefined;
  /** Who acknowledged; for `escalated` whose acknowledgement ran out. */
  readonly by: string | null;
  /** How long the acknowledgement holds; null until recovery. */
  readonly quietFor: Millis | null;
  /** Somebody was told directly of this outage, and is told its end too. */
  readonly direct: boolean;
}

export interface PathFinding {
  readonly address: string;
  readonly answers: boolean;
  /** Why there is no answer, or what it was. */
  readonly finding: string;
}

/** Something that a host's agent says is wrong with it. */
export interface AlarmFinding {
  /** As `/health` names it; `waiting`: it may not do its part. */
  readonly kind: string;
  /** Database, disk or whatever else it is about; empty: the host. */
  readonly subject: string;
  /** More of it, as the agent says it; null: nothing. */
  readonly says: string | null;
  /** It puts data of the first order in danger: a person is told directly when it lasts. */
  readonly urgent: boolean;
}

/** What a path says where an agent answers that its rounds have stopped. */
export const STUCK = "answers 503: its rounds have stopped";
