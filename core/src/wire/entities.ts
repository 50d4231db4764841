import Type from "typebox";
import { EVENT_KINDS } from "../event.ts";
import { PRIORITIES, STATUSES } from "../vocabulary.ts";
import { Closed, Fence, Id, Nullable, OneOf, Seq, Text, Time } from "./values.ts";

/** What the API answers with. The ledger's own types, as JSON Schema; `conforms.ts` holds the compiler to it. */

export const Evidence = Closed({
  path: Text(4096),
  sha256: Type.String({ pattern: "^[0-9a-f]{64}$" }),
  size: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
});

const Stored = Nullable(Type.String());
const Status = Type.String({ description: `${STATUSES.join(", ")}; another program's word when it is none of these.` });
const Free = Type.Record(Type.String(), Type.Unknown());

const TASK = {
  id: Id,
  title: Type.String(),
  description: Stored,
  status: Status,
  status_raw: Stored,
  priority: Nullable(OneOfNumbers(PRIORITIES)),
  priority_raw: Stored,
  project: Stored,
  owner: Stored,
  tags: Type.Array(Type.String()),
  parent: Nullable(Type.Integer()),
  blocked_by: Type.Array(Id),
  due: Nullable(Time),
  deferred_until: Nullable(Time),
  evidence: Type.Array(Evidence),
  dedup_key: Stored,
  version: Type.Integer({ description: "Rises by one with every change of the task's content; the ETag." }),
  created_at: Nullable(Time),
  updated_at: Nullable(Time),
  done_at: Nullable(Time),
  lease_state: OneOf(["free", "held", "expired"]),
  lease_holder: Stored,
  lease_until: Nullable(Time),
  fence: Fence,
  attempts: Type.Integer({ description: "How often it was acquired." }),
  extra: Free,
};

function OneOfNumbers<const T extends number[]>(values: readonly [...T]) {
  return Type.Enum([...values] as [...T]);
}

export const Task = Closed(TASK);

/** Only the fields that were asked for. */
export const PartialTask = Type.Partial(Task);

export const LedgerEvent = Closed({
  seq: Seq,
  task: Nullable(Type.Integer()),
  kind: OneOf([...EVENT_KINDS]),
  at: Time,
  actor: Type.String(),
  session: Type.String(),
  fence: Nullable(Fence),
  data: Free,
});

export const TaskDetail = Closed({
  ...TASK,
  history: Type.Array(LedgerEvent),
  blocks: Type.Array(Id),
  children: Type.Array(Id),
});

export const TaskPage = Closed({
  tasks: Type.Array(PartialTask),
  cut: Type.Boolean({ description: "The limit left some out." }),
  next: Nullable(Type.String({ description: "Give it as `after` to get the rest." })),
});

export const Added = Closed({ task: Task, existing: Type.Boolean() });

export const Grant = Closed({
  id: Id,
  title: Type.String(),
  holder: Type.String(),
  fence: Fence,
  until: Time,
  ttl: Type.Integer({ description: "How long it lasts from each renewal; `until` says when it ends." }),
  idempotent: Type.Boolean({ description: "The caller held it already: a retry, with the same fence." }),
  previous: Nullable(Type.String()),
});

export const LeaseStatus = Closed({
  id: Id,
  title: Type.String(),
  state: OneOf(["free", "held", "expired"]),
  holder: Nullable(Type.String()),
  until: Nullable(Time),
  fence: Fence,
  seconds_left: Nullable(Type.Integer()),
  mine: Type.Boolean(),
});

export const Released = Closed({ id: Id, fence: Fence, already_free: Type.Boolean() });

export const SweptLease = Closed({
  id: Id,
  title: Type.String(),
  holder: Type.String(),
  until: Time,
  fence: Fence,
  released: Type.Boolean(),
});

export const NextTask = Closed({ task: Task, why: Type.Array(Type.String()), grant: Nullable(Grant) });

export const Approval = Closed({ id: Id, reason: Type.String(), until: Time, by: Type.String() });

export const WhoAmI = Closed({
  subject: Type.String({ description: "`issuer|sub`, `service|name`, or `open` where nobody must sign in." }),
  actor: Type.String({ description: "Who holds the leases it claims." }),
  may_act_for_others: Type.Boolean({ description: "It may name another actor." }),
  scopes: Type.Array(OneOf(["tasks.read", "tasks.write", "admin"]), { description: "`admin` allows everything." }),
});

export const Stats = Closed({
  store: Type.String(),
  ledger: Type.String(),
  kind: OneOf(["sqlite", "postgres", "http"]),
  schema: Type.Integer(),
  total: Type.Integer(),
  by_status: Type.Record(Type.String(), Type.Integer()),
  held: Type.Integer(),
  expired: Type.Integer(),
  blocked: Type.Integer(),
  overdue: Type.Integer(),
  events: Type.Integer(),
  done_last_7_days: Type.Integer(),
  median_time_to_done_ms: Nullable(Type.Number()),
  now: Time,
});

export const Imported = Closed({
  added: Type.Integer(),
  existing: Type.Integer(),
  unresolved: Type.Integer(),
  renumbered: Type.Record(Type.String(), Type.Integer()),
});

export const Pruned = Closed({ dropped: Type.Integer(), through: Seq });
export const Restored = Closed({
  added: Type.Integer(),
  changed: Type.Integer({ description: "Rows that were changed or taken out." }),
  same: Type.Integer(),
  different: Type.Array(Type.String()),
});

/** A moment of another program's, which may be long ago. */
const Moment = Nullable(Type.Integer());

/** What is there, as it is: another program keeps numbers and times that this API would not take. */
const DumpTask = Closed({
  ...omit(TASK, "lease_state", "blocked_by", "evidence"),
  id: Type.Integer(),
  due: Moment,
  deferred_until: Moment,
  created_at: Moment,
  updated_at: Moment,
  done_at: Moment,
  lease_until: Moment,
  lease_ttl: Nullable(Type.Integer()),
});

export const DumpHead = Closed({
  ledger: Type.String({ minLength: 1, maxLength: 64 }),
  seq: Seq,
  at: Time,
  pruned: Seq,
  rows: Closed({ task: Seq, dependency: Seq, evidence: Seq, event: Seq }),
});

const DumpDependency = Closed({ task: Type.Integer(), blocker: Type.Integer() });
const DumpEvidence = Closed({ task: Type.Integer(), ...Evidence.properties });

const DUMP_ROWS = [
  Closed({ table: Type.Literal("task"), row: DumpTask }),
  Closed({ table: Type.Literal("dependency"), row: DumpDependency }),
  Closed({ table: Type.Literal("evidence"), row: DumpEvidence }),
  Closed({ table: Type.Literal("event"), row: LedgerEvent }),
] as const;

/** A row of a copy, or a change of one that was copied before: made only while `was` is what is there. */
export const RestoreRow = Type.Union([
  ...DUMP_ROWS,
  Closed({ table: Type.Literal("task"), row: DumpTask, was: DumpTask }),
  Closed({ table: Type.Literal("dependency"), row: Type.Null(), was: DumpDependency }),
  Closed({ table: Type.Literal("evidence"), row: Type.Null(), was: DumpEvidence }),
]);

export const Problem = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    code: Type.String(),
    hint: Type.String({ minLength: 1 }),
    instance: Type.Optional(Type.String()),
    request_id: Type.Optional(Type.String()),
    task: Type.Optional(Type.Integer()),
    lease: Type.Optional(
      Closed({
        holder: Type.Optional(Type.String()),
        until: Type.Optional(Time),
        seconds_left: Type.Optional(Type.Integer()),
        fence: Type.Optional(Fence),
      }),
    ),
    failures: Type.Optional(Type.Array(Closed({ id: Type.Integer(), code: Type.String(), message: Type.String() }))),
    errors: Type.Optional(Type.Array(Closed({ at: Type.String(), message: Type.String() }))),
  },
  { additionalProperties: false, description: "RFC 9457 problem details." },
);

function omit<T extends object, K extends keyof T>(from: T, ...keys: K[]): Omit<T, K> {
  return Object.fromEntries(Object.entries(from).filter(([key]) => !keys.includes(key as K))) as Omit<T, K>;
}
