import { DatabaseSync } from "node:sqlite";
import { fromStoreTime } from "../../core/src/time.ts";
import type { Operation } from "./history.ts";

/** What must be true of the journal after a run, and of the journal beside what the clients were told. */

export interface JournalEvent {
  readonly seq: number;
  readonly task: number;
  readonly kind: string;
  readonly at: number;
  readonly holder: string;
  readonly fence: number | null;
  readonly until: number | null;
  readonly prevHolder: string | null;
  readonly prevUntil: number | null;
  readonly prevFence: number | null;
}

interface Hold {
  readonly holder: string;
  readonly fence: number;
  /** The earliest it can end: what was granted, and each extension the holder was told of. */
  readonly until: number;
}

/** What a store holds after a run, read past core. */
export interface Journal {
  readonly events: readonly JournalEvent[];
  /** The lease part of every task's row. */
  readonly rows: ReadonlyMap<number, FinalRow>;
}

/** Violations, one sentence each; none when all is well. Reads the file directly, not through core. */
export function violations(file: string, history: readonly Operation[]): string[] {
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    const journal = { events: readEvents(db), rows: readRows(db) };
    return [...integrity(db), ...breaches(journal, history)];
  } finally {
    db.close();
  }
}

/** Violations of a journal that was read already. */
export function breaches({ events, rows }: Journal, history: readonly Operation[]): string[] {
  const told = acknowledged(history);
  const byTask = Map.groupBy(events, (event) => event.task);
  const nobody: FinalRow = { holder: null, fence: 0 };
  return [
    ...order(events),
    ...[...byTask]
      .filter(([task]) => task > 0)
      .flatMap(([task, list]) => holds(task, list, told, rows.get(task) ?? nobody)),
    ...claims(events, history),
  ];
}

function readEvents(db: DatabaseSync): JournalEvent[] {
  const rows = db.prepare("SELECT * FROM alai_events ORDER BY seq").all() as Record<string, string | number | null>[];
  return rows.map((row) => journalEvent(row, fromStoreTime(row.at) ?? 0, JSON.parse(String(row.data ?? "{}"))));
}

/** One event from its row. @param at its time, @param data its JSON, read. */
export function journalEvent(
  row: Readonly<Record<string, unknown>>,
  at: number,
  data: Readonly<Record<string, string | number | undefined>>,
): JournalEvent {
  return {
    seq: Number(row.seq),
    task: Number(row.task_id),
    kind: String(row.kind),
    at,
    holder: `${row.actor}:${row.session}`,
    fence: row.fence === null ? null : Number(row.fence),
    until: data.until === undefined ? null : Number(data.until),
    prevHolder: data.prev_holder === undefined ? null : String(data.prev_holder),
    prevUntil: data.prev_until === undefined ? null : Number(data.prev_until),
    prevFence: data.prev_fence === undefined ? null : Number(data.prev_fence),
  };
}

/** The latest end each fence of each task was acknowledged to last until. */
function acknowledged(history: readonly Operation[]): Map<string, number> {
  const latest = new Map<string, number>();
  for (const { task, outcome } of history) {
    if (outcome?.type !== "granted") continue;
    const key = `${task}/${outcome.fence}`;
    latest.set(key, Math.max(latest.get(key) ?? 0, outcome.until));
  }
  return latest;
}

function* integrity(db: DatabaseSync): Generator<string> {
  const answer = db.prepare("PRAGMA integrity_check").all() as { integrity_check: string }[];
  const text = answer.map((row) => row.integrity_check).join("; ");
  if (text !== "ok") yield `integrity_check says ${text}`;
}

function* order(events: readonly JournalEvent[]): Generator<string> {
  let last = 0;
  for (const [index, { seq, at }] of events.entries()) {
    if (seq !== index + 1) yield `seq ${seq} where ${index + 1} was due`;
    if (at < last) yield `seq ${seq}: at went back by ${last - at} ms`;
    last = at;
  }
}

export interface FinalRow {
  readonly holder: string | null;
  readonly fence: number;
}

function readRows(db: DatabaseSync): Map<number, FinalRow> {
  const rows = db.prepare("SELECT id, lease_holder AS holder, lease_fence AS fence FROM tasks").all();
  return new Map(rows.map((row) => [Number(row.id), finalRow(row)]));
}

export function finalRow(row: Readonly<Record<string, unknown>>): FinalRow {
  return { holder: row.holder == null ? null : String(row.holder), fence: Number(row.fence) };
}

/** Replays one task's journal: fences 1, 2, 3 …, and never two holds at once. */
function holds(
  task: number,
  events: readonly JournalEvent[],
  told: ReadonlyMap<string, number>,
  row: FinalRow,
): string[] {
  let hold: Hold | null = null;
  let fence = 0;
  const found: string[] = [];
  for (const event of events) {
    const broken = brokenRules(event, hold);
    if (GAINS.includes(event.kind)) fence += 1;
    if (event.fence !== null && event.fence !== fence) broken.push(`fence ${event.fence} where ${fence} is current`);
    found.push(...broken.map((text) => `task ${task}, seq ${event.seq} (${event.kind} by ${event.holder}): ${text}`));
    hold = after(event, hold, told);
  }
  const holder = hold?.holder ?? null;
  if (row.fence !== fence) found.push(`task ${task}: the row's fence is ${row.fence} after ${fence} acquisitions`);
  if (row.holder !== holder) found.push(`task ${task}: the row's holder is ${row.holder}, the journal's ${holder}`);
  return found;
}

const GAINS: readonly string[] = ["acquired", "taken_over"];
const ENDS: readonly string[] = ["released", "expired", "done"];

function after(event: JournalEvent, hold: Hold | null, told: ReadonlyMap<string, number>): Hold | null {
  if (ENDS.includes(event.kind)) return null;
  if (!GAINS.includes(event.kind)) return hold;
  const { task, holder, fence } = event;
  return { holder, fence: fence ?? 0, until: Math.max(event.until ?? 0, told.get(`${task}/${fence}`) ?? 0) };
}

function brokenRules(event: JournalEvent, hold: Hold | null): string[] {
  return (RULES[event.kind] ?? []).map((rule) => rule(event, hold)).filter((broken) => typeof broken === "string");
}

type Rule = (event: JournalEvent, hold: Hold | null) => string | false | null | undefined;

/** What each kind of event asks of the hold it meets; a rule that is broken says how. */
const RULES: Readonly<Record<string, readonly Rule[]>> = {
  acquired: [(_, hold) => hold && `${hold.holder} had not given it up`],
  taken_over: [
    ({ prevHolder, prevFence }, hold) =>
      (prevHolder !== hold?.holder || prevFence !== hold.fence) && "not from its last holder",
    afterTheEnd,
    keepsWhatWasTold,
  ],
  expired: [({ prevHolder }, hold) => prevHolder !== hold?.holder && "not its holder", afterTheEnd, keepsWhatWasTold],
  released: [({ holder }, hold) => hold?.holder !== holder && `held by ${hold?.holder ?? "nobody"}`],
  done: [
    ({ holder, at }, hold) =>
      hold && hold.holder !== holder && at < hold.until && `while ${hold.holder} held it until ${hold.until}`,
  ],
};

function afterTheEnd({ at, prevUntil }: JournalEvent): string | false {
  return (prevUntil === null || at < prevUntil) && `at ${at}, before the lease's end ${prevUntil}`;
}

function keepsWhatWasTold({ prevUntil }: JournalEvent, hold: Hold | null): string | false | null {
  return (
    hold && (prevUntil ?? 0) < hold.until && `ended ${hold.until - (prevUntil ?? 0)} ms before the holder was told`
  );
}

/** Every new grant a client was told of is one acquisition of the journal, and no acquisition comes from nowhere. */
function* claims(events: readonly JournalEvent[], history: readonly Operation[]): Generator<string> {
  const gains = events.filter(({ kind }) => GAINS.includes(kind));
  const byGrant = Map.groupBy(gains, ({ task, fence, holder }) => `${task}/${fence}/${holder}`);
  const asked = history.filter((op) => op.kind === "claim");
  const granted = asked.filter(({ outcome }) => outcome?.type === "granted" && !outcome.idempotent);
  for (const { task, holder, outcome } of granted) {
    const fence = outcome?.type === "granted" ? outcome.fence : 0;
    const found = byGrant.get(`${task}/${fence}/${holder}`)?.length ?? 0;
    if (found !== 1) yield `task ${task}: ${holder} was granted fence ${fence}, the journal has ${found} of it`;
  }
  const unknown = asked.filter(({ outcome }) => outcome === null).length;
  const extra = gains.length - granted.length;
  if (extra > unknown) yield `${extra} acquisitions nobody was told of, and only ${unknown} claims of unknown outcome`;
}
