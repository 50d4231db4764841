import type { Operation, Outcome } from "./history.ts";

/**
 * What one task may do, written from the rules and not from core's code: a step is allowed only when some store time
 * within the operation's bounds explains its outcome. Where a time is not known exactly it is a span, and the model is
 * generous: it may let a wrong history pass, it never accuses a right one.
 */
export interface State {
  readonly holder: string | null;
  /** The lease's end lies in this span: one number, save after a claim or extension whose answer was lost. */
  readonly lo: number;
  readonly hi: number;
  readonly ttl: number;
  readonly fence: number;
  readonly done: boolean;
  /** Newest fence of each holder that has one it did not give up itself: who may be superseded. */
  readonly claims: ReadonlyMap<string, number>;
  /** Store time of the newest journalled write lies in this span: the ledger's clock never shows less. */
  readonly nowLo: number;
  readonly nowHi: number;
}

export const INITIAL: State = {
  holder: null,
  lo: 0,
  hi: 0,
  ttl: 0,
  fence: 0,
  done: false,
  claims: new Map(),
  nowLo: 0,
  nowHi: 0,
};

export function keyOf(state: State): string {
  const claims = [...state.claims].sort(([a], [b]) => (a < b ? -1 : 1)).join(";");
  const { holder, lo, hi, ttl, fence, done, nowLo, nowHi } = state;
  return `${holder}|${lo}|${hi}|${ttl}|${fence}|${done}|${nowLo}|${nowHi}|${claims}`;
}

/** A way an operation can go: the lease was live or not at a store time within `[from, to]`. */
interface Moment {
  readonly live: boolean;
  readonly from: number;
  readonly to: number;
  /** The state, with what this moment tells of the lease's end. */
  readonly state: State;
}

/** `[acquired, until)`: at `until` itself the lease is over. The store's clock is `max(wall, newest write)`. */
function moments(state: State, op: Operation): Moment[] {
  const from = Math.max(op.wallCall, state.nowLo);
  const to = Math.max(op.wallReturn, state.nowHi);
  if (state.holder === null) return [{ live: false, from, to, state }];
  const result: Moment[] = [];
  if (from < state.hi) {
    const lo = Math.max(state.lo, from + 1);
    result.push({ live: true, from, to: Math.min(to, state.hi - 1), state: { ...state, lo } });
  }
  if (to >= state.lo) {
    const hi = Math.min(state.hi, to);
    result.push({ live: false, from: Math.max(from, state.lo), to, state: { ...state, hi } });
  }
  return result;
}

/** Every state the operation may leave behind; none when its outcome cannot be explained. */
export function step(state: State, op: Operation): State[] {
  return moments(state, op).flatMap((moment) => {
    if (op.outcome?.type === "refused") return refused(moment, op, op.outcome);
    return VERBS[op.kind](moment, op);
  });
}

const VERBS: Readonly<Record<Operation["kind"], (moment: Moment, op: Operation) => State[]>> = {
  claim: (moment, op) => {
    if (!moment.live) return moment.state.done ? [] : acquire(moment, op);
    return moment.state.holder === op.holder ? renew(moment, op, op.ttl ?? 0, true) : [];
  },
  extend: (moment, op) => {
    const { state, live } = moment;
    if (!live || state.holder !== op.holder || isOtherFence(state, op)) return [];
    return renew(moment, op, op.ttl ?? state.ttl, false);
  },
  release: (moment, op) => {
    const { state } = moment;
    if (isOtherFence(state, op) || (op.outcome?.type === "released" && op.outcome.fence !== state.fence)) return [];
    const already = op.outcome?.type === "released" && op.outcome.already;
    if (already) return state.holder === null ? [state] : [];
    return state.holder === op.holder ? [cleared(moment, op.holder)] : [];
  },
  done: (moment, op) => {
    if (!mayWrite(moment, op)) return [];
    return moment.state.done ? [moment.state] : [{ ...cleared(moment, op.holder), done: true }];
  },
  reopen: (moment, op) => {
    if (!mayWrite(moment, op)) return [];
    return moment.state.done ? [{ ...moment.state, done: false, ...writtenAt(moment) }] : [moment.state];
  },
  status: (moment, op) => (op.outcome?.type === "seen" ? seen(moment, op.outcome) : [moment.state]),
  sweep: (moment, op) => {
    const { state, live } = moment;
    const expired = state.holder !== null && !live;
    if (op.outcome === null) return expired ? [cleared(moment, null)] : [];
    if (op.outcome.type === "not_swept") return expired ? [] : [state];
    if (op.outcome.type !== "swept" || !expired) return [];
    return narrow(moment, op.outcome).map((after) => cleared({ ...moment, state: after }, null));
  },
};

function acquire(moment: Moment, op: Operation): State[] {
  const { state, from, to } = moment;
  const fence = state.fence + 1;
  const ttl = op.ttl ?? 0;
  const claims = new Map(state.claims).set(op.holder, fence);
  const next = { ...state, holder: op.holder, ttl, fence, claims };
  if (op.outcome === null) return [{ ...next, lo: from + ttl, hi: to + ttl, ...writtenAt(moment) }];
  if (op.outcome.type !== "granted" || op.outcome.idempotent || op.outcome.fence !== fence) return [];
  // The grant names its end, and so the store time at which it was made.
  const { until } = op.outcome;
  const now = until - ttl;
  return now >= from && now <= to ? [{ ...next, lo: until, hi: until, nowLo: now, nowHi: now }] : [];
}

/**
 * A retry or an extension: the same fence, and an end that only moves later. Most are not journalled, so the ledger's
 * clock need not have moved.
 */
function renew(moment: Moment, op: Operation, ttl: number, idempotent: boolean): State[] {
  const { state, from, to } = moment;
  // A retry does not shorten what later extensions go by.
  const after = { ...state, ttl: idempotent ? Math.max(ttl, state.ttl) : ttl, nowHi: Math.max(state.nowHi, to) };
  const { outcome } = op;
  if (outcome === null) return [{ ...after, lo: Math.max(state.lo, from + ttl), hi: Math.max(state.hi, to + ttl) }];
  if (outcome.type !== "granted" || outcome.idempotent !== idempotent || outcome.fence !== state.fence) return [];
  const { until } = outcome;
  const now = until - ttl;
  const wasLonger = until >= state.lo && until <= state.hi && now >= from;
  const becameLonger = until >= state.lo && now >= from && now <= to;
  return wasLonger || becameLonger ? [{ ...after, lo: until, hi: until }] : [];
}

/** A journalled write moves the ledger's clock to some time of the moment. */
function writtenAt({ from, to }: Moment) {
  return { nowLo: from, nowHi: to };
}

/** Freshness gates writes: no live lease of someone else, and no claim newer than one's own. */
function mayWrite({ state, live }: Moment, op: Operation): boolean {
  if (isOtherFence(state, op)) return false;
  if (state.holder === op.holder) return true;
  return !live && !isSuperseded(state, op);
}

function isOtherFence(state: State, op: Operation): boolean {
  return op.fence !== undefined && op.fence !== state.fence;
}

function isOthers(state: State, op: Operation): boolean {
  return state.holder !== null && state.holder !== op.holder;
}

function isSuperseded(state: State, op: Operation): boolean {
  const mine = state.claims.get(op.holder);
  return mine !== undefined && mine !== state.fence;
}

/** The lease is off the row, the fence stays. `by` has given its own claim up; a swept holder has not. */
function cleared(moment: Moment, by: string | null): State {
  const { state } = moment;
  const claims = new Map(state.claims);
  if (by !== null) claims.delete(by);
  return { ...state, holder: null, lo: 0, hi: 0, ttl: 0, claims, ...writtenAt(moment) };
}

function seen(moment: Moment, outcome: Extract<Outcome, { type: "seen" }>): State[] {
  const { state, live } = moment;
  const expected = live ? "held" : state.holder === null ? "free" : "expired";
  if (outcome.state !== expected || outcome.holder !== state.holder || outcome.fence !== state.fence) return [];
  return narrow(moment, outcome);
}

/** The named end must be a possible one, and it is the end from here on. */
function narrow({ state }: Moment, named: { holder?: string | null; until?: number | null; fence?: number }): State[] {
  if (named.fence !== undefined && named.fence !== state.fence) return [];
  if (named.holder !== undefined && named.holder !== state.holder) return [];
  if (state.holder === null || typeof named.until !== "number") return [state];
  if (named.until < state.lo || named.until > state.hi) return [];
  return [{ ...state, lo: named.until, hi: named.until }];
}

/** A refusal changes nothing; it must be true, and what it names must be what stood in the way. */
function refused(moment: Moment, op: Operation, outcome: Extract<Outcome, { type: "refused" }>): State[] {
  return isTrueRefusal(moment, op, outcome.code) ? narrow(moment, namedBy(outcome)) : [];
}

function namedBy(outcome: Extract<Outcome, { type: "refused" }>) {
  const { holder, until, fence } = outcome;
  return {
    ...(holder !== undefined && { holder }),
    ...(until !== undefined && { until }),
    ...(fence !== undefined && { fence }),
  };
}

function isTrueRefusal({ state, live }: Moment, op: Operation, code: string): boolean {
  const others = live && isOthers(state, op);
  switch (code) {
    case "held":
      return others && op.kind !== "extend" && op.kind !== "release";
    case "not_open":
      return op.kind === "claim" && state.done;
    case "lease_expired":
      return op.kind === "extend" && !live;
    case "not_holder":
      return (op.kind === "extend" || op.kind === "release") && (others || (!live && state.holder !== op.holder));
    case "fenced":
      return (
        isOtherFence(state, op) || isSuperseded(state, op) || (op.fence !== undefined && !live && isOthers(state, op))
      );
    default:
      return false;
  }
}
