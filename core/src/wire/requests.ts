import Type from "typebox";
import { DEFAULT_TTL } from "../lease.ts";
import { SORT_KEYS } from "../query.ts";
import { PRIORITIES, STATUSES } from "../vocabulary.ts";
import { DumpHead, Evidence, RestoreRow, Task } from "./entities.ts";
import { Closed, Fence, Id, LongText, Nullable, OneOf, Seq, Text, Time, Ttl } from "./values.ts";

/** What the API takes. Every object is closed: a field that is not known is refused, not ignored. */

const Word = Text(200);
const Priority = Type.Enum([...PRIORITIES]);
const Ids = (maxItems = 1000) => Type.Array(Id, { minItems: 1, maxItems });
const Tags = Type.Array(Word, { maxItems: 100 });
const Evidences = Type.Array(Evidence, { maxItems: 100 });
const Description = LongText(1_000_000);
const Title = Text(1024);
const opt = Type.Optional;

const CONTENT = {
  title: Title,
  description: opt(Nullable(Description)),
  status: opt(OneOf([...STATUSES])),
  priority: opt(Priority),
  project: opt(Nullable(Word)),
  owner: opt(Nullable(Word)),
  tags: opt(Tags),
  parent: opt(Nullable(Id)),
  blocked_by: opt(Type.Array(Id, { maxItems: 1000 })),
  due: opt(Nullable(Time)),
  deferred_until: opt(Nullable(Time)),
  dedup_key: opt(Nullable(Word)),
};

export const NewTask = Closed(CONTENT);

export const TaskPatch = Closed({
  title: opt(Title),
  description: opt(Nullable(Description)),
  priority: opt(Priority),
  project: opt(Nullable(Word)),
  owner: opt(Nullable(Word)),
  addTags: opt(Tags),
  removeTags: opt(Tags),
  parent: opt(Nullable(Id)),
  due: opt(Nullable(Time)),
  deferred_until: opt(Nullable(Time)),
});

export const StatusChange = Closed({
  verb: OneOf(["done", "ready", "paused", "reopened", "cancelled"]),
  evidence: opt(Evidences),
  reason: opt(LongText(10_000)),
  requireEvidence: opt(Type.Boolean()),
});

export const ClaimBody = Closed({
  ttl: opt({ ...Ttl, default: DEFAULT_TTL } as typeof Ttl),
});
export const ExtendBody = Closed({ ttl: opt(Ttl), fence: opt(Fence) });
export const NoteBody = Closed({ text: Text(100_000) });
/** Exactly one of the two. */
export const BlockersBody = Type.Union([Closed({ add: Ids() }), Closed({ remove: Ids() })]);
export const ApprovalBody = Closed({ reason: Text(10_000), ttl: Ttl });
export const SweepBody = Closed({ release: opt(Type.Boolean({ default: false })) });
export const UndoBody = Closed({ seq: opt(Seq) });
export const PruneBody = Closed({ before: Time });

const FILTER = {
  status: opt(Type.Array(Word, { maxItems: 20 })),
  project: opt(Type.Array(Word, { maxItems: 20 })),
  owner: opt(Type.Array(Word, { maxItems: 20 })),
  tags: opt(Type.Array(Word, { maxItems: 20 })),
  priority: opt(Type.Array(Priority, { maxItems: 5 })),
  text: opt(Type.Array(Word, { maxItems: 20 })),
  parent: opt(Id),
  heldBy: opt(Text(400)),
  held: opt(Type.Boolean()),
  free: opt(Type.Boolean()),
  expired: opt(Type.Boolean()),
  blocked: opt(Type.Boolean()),
  dueBefore: opt(Time),
};

/** The same filter in a body. `status: []` is any. */
export const Filter = Closed(FILTER);
export const NextBody = Closed({ filter: opt(Filter), ttl: opt(Ttl) });

/** The filter in a query string: a name may stand several times. */
export const FilterQuery = Closed({
  ...FILTER,
  all: opt(Type.Boolean({ description: "Any status; otherwise open work only, or the statuses given." })),
});

const SORT = `^-?(${SORT_KEYS.join("|")})$`;

export const ListQuery = Closed({
  ...FilterQuery.properties,
  sort: opt(Type.Array(Type.String({ pattern: SORT }), { maxItems: SORT_KEYS.length })),
  limit: opt(Type.Integer({ minimum: 0, maximum: 100_000, default: 100, description: "0 is all." })),
  after: opt(Type.String({ minLength: 1, maxLength: 8192, description: "Where the page before ended (`next`)." })),
  fields: opt(
    Type.Array(Type.Enum(Object.keys(Task.properties) as (keyof typeof Task.properties)[]), { maxItems: 50 }),
  ),
});

export const EventsQuery = Closed({
  after: opt(Seq),
  task: opt(Id),
  limit: opt(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
  last: opt(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
  wait: opt(
    Type.Integer({ minimum: 0, maximum: 60_000, description: "Wait so many milliseconds for the first event." }),
  ),
});
export const DumpQuery = Closed({
  after: opt({
    ...Seq,
    description: "Only what came after this event: those events, and the tasks they name.",
  } as typeof Seq),
  held: opt(Type.Boolean({ description: "With `after`: tasks that have a holder too." })),
});
export const StreamQuery = Closed({ after: opt(Seq), task: opt(Id) });

export const ImportLine = Closed({
  ...CONTENT,
  id: opt(Id),
  created_at: opt(Nullable(Time)),
  done_at: opt(Nullable(Time)),
  blocked_by_keys: opt(Type.Array(Word, { maxItems: 1000 })),
  notes: opt(Type.Array(Text(100_000), { maxItems: 10_000 })),
  evidence: opt(Evidences),
});
export const ImportBody = Closed({ lines: Type.Array(ImportLine, { maxItems: 100_000 }) });
export const RestoreBody = Closed({ head: DumpHead, rows: Type.Array(RestoreRow, { maxItems: 10_000 }) });

/** One verb over several tasks in one transaction: all or nothing. */
export const BatchBody = Type.Union([
  Closed({ verb: Type.Literal("add"), tasks: Type.Array(NewTask, { minItems: 1, maxItems: 1000 }) }),
  Closed({ verb: Type.Literal("get"), ids: Ids() }),
  Closed({ verb: Type.Literal("edit"), ids: Ids(), patch: TaskPatch, ifVersion: opt(Type.Integer({ minimum: 0 })) }),
  Closed({ verb: Type.Literal("note"), ids: Ids(), text: NoteBody.properties.text }),
  Closed({ verb: Type.Literal("status"), ids: Ids(), change: StatusChange }),
  Closed({ verb: Type.Literal("claim"), ids: Ids(), ttl: opt(Ttl) }),
  Closed({ verb: Type.Literal("extend"), ids: Ids(), ttl: opt(Ttl) }),
  Closed({ verb: Type.Literal("release"), ids: Ids() }),
  Closed({ verb: Type.Literal("lease"), ids: Ids() }),
  Closed({ verb: Type.Literal("approve"), ids: Ids(), reason: ApprovalBody.properties.reason, ttl: Ttl }),
]);
