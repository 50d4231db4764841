import Type from "typebox";
import type { RefusalCode } from "../refusal.ts";
import * as E from "./entities.ts";
import * as R from "./requests.ts";
import type { Access } from "./scopes.ts";
import { Closed, Id } from "./values.ts";

export { SCOPES, type Scope } from "./scopes.ts";

/** One route of the API: what the server registers, checks and documents. */
export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Fastify's form: `/tasks/:id`. */
  readonly path: string;
  readonly summary: string;
  /** Null: open to everyone (health, documentation). */
  readonly scope: Access | null;
  readonly params?: Type.TObject;
  readonly query?: Type.TObject;
  readonly body?: Type.TSchema;
  /** The body may be left out. */
  readonly bodyOptional?: boolean;
  /** The schema of the answer, 200 unless `status` says otherwise. */
  readonly answer: Type.TSchema;
  readonly status?: 200 | 201;
  /** What the state may refuse it with, beside what every route may answer. */
  readonly refusals: readonly RefusalCode[];
  /** Takes `If-Match`: 412 when it is another version, 428 when it is missing. */
  readonly ifMatch?: boolean;
  /** Answers with an `ETag`. */
  readonly etag?: boolean;
  /** Takes an `Idempotency-Key`. */
  readonly keyed?: boolean;
  /** Needs `Alai-Session`: whose lease it is must be said, or two scripts under one token would hold the same one. */
  readonly session?: boolean;
  /** Largest body in bytes; absent: 1 MiB. */
  readonly bodyLimit?: number;
}

const ById = Closed({ id: Id });
const WRITE: readonly RefusalCode[] = ["not_found", "held", "fenced"];
const MIB = 2 ** 20;

function routes<const T extends Readonly<Record<string, Route>>>(table: T): T {
  return table;
}

/** Every route, by the name of its operation. */
export const ROUTES = routes({
  listTasks: {
    method: "GET",
    path: "/tasks",
    summary: "Tasks that match, most urgent first",
    scope: "tasks.read",
    query: R.ListQuery,
    answer: E.TaskPage,
    refusals: [],
  },
  addTask: {
    method: "POST",
    path: "/tasks",
    summary: "Add a task",
    scope: "tasks.write",
    body: R.NewTask,
    answer: E.Added,
    status: 201,
    refusals: ["not_found", "cycle"],
    keyed: true,
    etag: true,
  },
  batch: {
    method: "POST",
    path: "/tasks/batch",
    summary:
      "One verb over several tasks, all or nothing; all but get and lease need tasks.write, and claim, extend and release need Alai-Session",
    scope: "tasks.read",
    body: R.BatchBody,
    answer: Closed({
      results: Type.Array(
        Type.Union([E.Added, E.TaskDetail, E.Task, E.LedgerEvent, E.Grant, E.Released, E.LeaseStatus, E.Approval]),
      ),
    }),
    refusals: [
      ...WRITE,
      "not_holder",
      "lease_expired",
      "blocked",
      "not_open",
      "evidence_required",
      "version_conflict",
      "cycle",
    ],
    keyed: true,
  },
  nextTask: {
    method: "GET",
    path: "/tasks/next",
    summary: "The task to do next, and why",
    scope: "tasks.read",
    query: R.FilterQuery,
    answer: E.NextTask,
    refusals: ["none_ready"],
  },
  claimNext: {
    method: "POST",
    path: "/tasks/next/lease",
    summary: "Find the task to do next and claim it",
    scope: "tasks.write",
    body: R.NextBody,
    bodyOptional: true,
    answer: E.NextTask,
    refusals: ["none_ready"],
    keyed: true,
    session: true,
  },
  getTask: {
    method: "GET",
    path: "/tasks/:id",
    summary: "One task with lease and history",
    scope: "tasks.read",
    params: ById,
    answer: E.TaskDetail,
    refusals: ["not_found"],
    etag: true,
  },
  editTask: {
    method: "PATCH",
    path: "/tasks/:id",
    summary: "Change a task",
    scope: "tasks.write",
    params: ById,
    body: R.TaskPatch,
    answer: E.Task,
    refusals: [...WRITE, "cycle", "version_conflict"],
    ifMatch: true,
    etag: true,
    keyed: true,
  },
  setStatus: {
    method: "PUT",
    path: "/tasks/:id/status",
    summary: "Finish, reopen, pause, cancel or mark ready",
    scope: "tasks.write",
    params: ById,
    body: R.StatusChange,
    answer: E.Task,
    refusals: [...WRITE, "evidence_required"],
    etag: true,
    keyed: true,
  },
  note: {
    method: "POST",
    path: "/tasks/:id/notes",
    summary: "Write a note",
    scope: "tasks.write",
    params: ById,
    body: R.NoteBody,
    answer: E.LedgerEvent,
    status: 201,
    refusals: ["not_found"],
    keyed: true,
  },
  setBlockers: {
    method: "PATCH",
    path: "/tasks/:id/blockers",
    summary: "Make it wait for other tasks, or stop it waiting",
    scope: "tasks.write",
    params: ById,
    body: R.BlockersBody,
    answer: E.Task,
    refusals: [...WRITE, "cycle"],
    etag: true,
    keyed: true,
  },
  leaseStatus: {
    method: "GET",
    path: "/tasks/:id/lease",
    summary: "Who holds it, until when",
    scope: "tasks.read",
    params: ById,
    answer: E.LeaseStatus,
    refusals: ["not_found"],
  },
  claim: {
    method: "PUT",
    path: "/tasks/:id/lease",
    summary: "Claim: again by the same session is a retry with the same fence",
    scope: "tasks.write",
    params: ById,
    body: R.ClaimBody,
    bodyOptional: true,
    answer: E.Grant,
    refusals: ["not_found", "held", "blocked", "not_open"],
    session: true,
  },
  extend: {
    method: "PATCH",
    path: "/tasks/:id/lease",
    summary: "Make the lease longer",
    scope: "tasks.write",
    params: ById,
    body: R.ExtendBody,
    bodyOptional: true,
    answer: E.Grant,
    refusals: ["not_found", "not_holder", "lease_expired", "fenced"],
    session: true,
  },
  release: {
    method: "DELETE",
    path: "/tasks/:id/lease",
    summary: "Give the lease back",
    scope: "tasks.write",
    params: ById,
    answer: E.Released,
    refusals: ["not_found", "not_holder", "fenced"],
    keyed: true,
    session: true,
  },
  sweep: {
    method: "POST",
    path: "/leases/sweep",
    summary: "Leases that ran out; cleared on request",
    scope: "tasks.write",
    body: R.SweepBody,
    bodyOptional: true,
    answer: Closed({ leases: Type.Array(E.SweptLease) }),
    refusals: [],
    keyed: true,
  },
  approvals: {
    method: "GET",
    path: "/tasks/:id/approvals",
    summary: "Approvals that are still good",
    scope: "tasks.read",
    params: ById,
    answer: Closed({ approvals: Type.Array(E.Approval) }),
    refusals: ["not_found"],
  },
  approve: {
    method: "POST",
    path: "/tasks/:id/approvals",
    summary: "Let others act on a held task, on record",
    scope: "tasks.write",
    params: ById,
    body: R.ApprovalBody,
    answer: E.Approval,
    status: 201,
    refusals: ["not_found"],
    keyed: true,
  },
  events: {
    method: "GET",
    path: "/events",
    summary: "The journal after a number; waits for news on request",
    scope: "tasks.read",
    query: R.EventsQuery,
    answer: Closed({ events: Type.Array(E.LedgerEvent) }),
    refusals: ["pruned", "not_found"],
  },
  undo: {
    method: "POST",
    path: "/events/undo",
    summary: "Reverse a change by a new event",
    scope: "tasks.write",
    body: R.UndoBody,
    bodyOptional: true,
    answer: E.LedgerEvent,
    status: 201,
    refusals: [...WRITE, "nothing_to_undo", "version_conflict", "cycle"],
    keyed: true,
  },
  prune: {
    method: "POST",
    path: "/events/prune",
    summary: "Drop old events that nothing hangs on",
    scope: "admin",
    body: R.PruneBody,
    answer: E.Pruned,
    refusals: [],
    keyed: true,
  },
  importTasks: {
    method: "POST",
    path: "/import",
    summary: "Add many tasks: all or none",
    scope: "tasks.write",
    body: R.ImportBody,
    answer: E.Imported,
    refusals: ["cycle", "constraint"],
    keyed: true,
    bodyLimit: 64 * MIB,
  },
  whoAmI: {
    method: "GET",
    path: "/whoami",
    summary: "Who the token is for, who it acts as and what it allows",
    scope: "any",
    answer: E.WhoAmI,
    refusals: [],
  },
  stats: {
    method: "GET",
    path: "/stats",
    summary: "The ledger in numbers",
    scope: "tasks.read",
    answer: E.Stats,
    refusals: [],
  },
  dumpHead: {
    method: "GET",
    path: "/dump/head",
    summary: "What a whole copy would hold",
    scope: "admin",
    answer: E.DumpHead,
    refusals: [],
  },
  restore: {
    method: "POST",
    path: "/restore",
    summary: "Take a piece of a whole copy",
    scope: "admin",
    body: R.RestoreBody,
    answer: E.Restored,
    refusals: ["constraint"],
    bodyLimit: 64 * MIB,
  },
} satisfies Readonly<Record<string, Route>>);

export type Operation = keyof typeof ROUTES;

/** Routes that answer with a stream: documented beside the others, served by their own code. */
export const STREAMS = {
  eventStream: {
    path: "/events/stream",
    summary: "The journal as server-sent events; resumes at `Last-Event-ID`",
    scope: "tasks.read",
    query: R.StreamQuery,
    type: "text/event-stream",
  },
  eventSocket: {
    path: "/events/ws",
    summary: "The journal over a WebSocket",
    scope: "tasks.read",
    query: R.StreamQuery,
    type: "websocket",
  },
  dump: {
    path: "/dump",
    summary: "The whole ledger, a JSON line a row; the first line is the head, the last says it is complete",
    scope: "admin",
    query: R.DumpQuery,
    type: "application/x-ndjson",
  },
} as const;
