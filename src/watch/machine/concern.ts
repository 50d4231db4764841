import type { Millis } from "@alai/core";
import type { HostState, Rules } from "./host.ts";
import {
  type AckRequest,
  acknowledged,
  beginning,
  chain,
  escalated,
  type Incident,
  noticeOf,
  type Step,
  withoutExpired,
} from "./incident.ts";
import type { AlarmFinding, Notice } from "./notice.ts";
import { FRESH, holdOf, recent, type Signal, stepSignal } from "./signal.ts";

/** What the agent of a host that answers says of itself: alarms, or that it may not do its part. Plain data, kept with the host's. */
export interface Concern {
  /** Whether nothing is wrong, steadied as answers are. */
  readonly signal: Signal;
  /** What the last look that could tell found wrong. */
  readonly found: readonly AlarmFinding[];
  /** While something is. */
  readonly worry: Worry | null;
}

export interface Worry extends Incident {
  /** As they were said last. */
  readonly alarms: readonly AlarmFinding[];
  /** Rounds in a row in which they were others than those. */
  readonly differs: number;
  /** Ages at which a change of them was said, none older than half an hour. */
  readonly changes: readonly Millis[];
  /** How often they were said. */
  readonly said: number;
  /** Age since which one is urgent that nobody was told directly of; null: none is. */
  readonly urgentFrom: Millis | null;
}

export const NO_CONCERN: Concern = { signal: FRESH, found: [], worry: null };

/** A state of an earlier version has none. */
export function concernOf({ concern }: Pick<HostState, "concern">): Concern {
  return concern ?? NO_CONCERN;
}

/** A look before a long pause and one after it are not in a row. */
export function forgetConcern({ concern }: Pick<HostState, "concern">): Concern | undefined {
  if (!concern || concern.signal.lost) return concern;
  return { ...concern, signal: { ...FRESH, backs: concern.signal.backs } };
}

/**
 * What the host's own words change, and what is to be said of it.
 * @param found null: nothing is known of it, because it does not answer or lets only those in who have its token; all stays as it is.
 */
export function stepConcern(
  before: HostState,
  found: readonly AlarmFinding[] | null,
  acks: readonly AckRequest[],
  rules: Rules,
): Step {
  const ack = (state: HostState) => ackChange(state, acks);
  if (found === null) return ack(before);
  const concern = concernOf(before);
  const signal = stepSignal(concern.signal, found.length === 0, before.age, rules.misses);
  const seen = { ...before, concern: { ...concern, signal, found } };
  return chain(
    { state: seen, notices: [] },
    (state) => beginsOrEnds(concern, state),
    (state) => setChange(state, rules),
    ack,
    (state) => escalation(state, rules),
  );
}

function beginsOrEnds(before: Concern, state: HostState): Step {
  const { signal, found, worry } = concernOf(state);
  if (signal.lost && !worry) {
    const from = signal.missedAt ?? state.age;
    const urgentFrom = found.some(({ urgent }) => urgent) ? from : null;
    const more = { alarms: found, differs: 0, changes: [], said: 1, urgentFrom };
    const begun = { ...beginning(state, from, "-alarms"), ...more };
    const after = withWorry({ ...state, count: state.count + 1 }, begun);
    return { state: after, notices: [said(after, begun)] };
  }
  if (signal.lost || !worry) return { state, notices: [] };
  const until = before.signal.answersSince ?? state.age;
  const more = { lasted: until - worry.from, direct: worry.escalations > 0 };
  return {
    state: withWorry(state, null),
    notices: [noticeOf(state, "recovered", worry.id, { ...aboutOf(state, worry), ...more })],
  };
}

/** Other alarms than those that were said: once that has lasted, and the more seldom the more often they change. */
function setChange(state: HostState, rules: Rules): Step {
  const { found, worry } = concernOf(state);
  if (!worry || found.length === 0) return { state, notices: [] };
  const known = new Set(worry.alarms.map(keyOf));
  const fresh = found.filter((one) => !known.has(keyOf(one)));
  const isSame = fresh.length === 0 && found.length === worry.alarms.length;
  const differs = isSame ? 0 : worry.differs + 1;
  const changes = recent(worry.changes, state.age);
  const isTooSoon = state.age - (changes.at(-1) ?? Number.NEGATIVE_INFINITY) < holdOf(changes);
  if (differs < rules.misses || isTooSoon)
    return { state: withWorry(state, { ...worry, differs, changes }), notices: [] };
  const next = {
    ...worry,
    ...urgency(state, worry, fresh),
    ...{ alarms: found, differs: 0, changes: [...changes, state.age], said: worry.said + 1 },
  };
  const after = withWorry(state, next);
  return { state: after, notices: [said(after, next)] };
}

/** Who has some alarms in hand does not have those that came after them. */
function urgency(state: HostState, worry: Worry, fresh: readonly AlarmFinding[]): Partial<Worry> {
  if (fresh.some(({ urgent }) => urgent)) return { urgentFrom: state.age, escalated: false, ack: null, ranOut: null };
  return concernOf(state).found.some(({ urgent }) => urgent) ? { urgentFrom: worry.urgentFrom } : { urgentFrom: null };
}

function ackChange(state: HostState, requests: readonly AckRequest[]): Step {
  const worry = acknowledged(concernOf(state).worry, requests, state.age);
  if (!worry) return { state, notices: [] };
  const more = { ...aboutOf(state, worry), by: worry.ack.by, quietFor: worry.ack.for };
  const after = withWorry(state, worry);
  return { state: after, notices: [noticeOf(after, "acknowledged", `${worry.id}-${worry.ack.id}`, more)] };
}

function escalation(state: HostState, rules: Rules): Step {
  const { found, worry: before } = concernOf(state);
  if (!before) return { state, notices: [] };
  const worry = withoutExpired(before, state.age);
  const kept = withWorry(state, worry);
  const { urgentFrom } = worry;
  const isUrgent = urgentFrom !== null && found.some(({ urgent }) => urgent);
  if (!isUrgent || worry.ack || worry.escalated || state.age - urgentFrom < rules.escalateAfter)
    return { state: kept, notices: [] };
  const after = escalated(worry);
  const more = { ...aboutOf(state, worry), alarms: found, by: worry.ranOut, direct: true };
  return {
    state: withWorry(state, after),
    notices: [noticeOf(state, "escalated", `${worry.id}-${after.escalations}`, more)],
  };
}

/** What is said of alarms that stand: under the id of the last time. */
export function said(state: HostState, worry: Worry): Notice {
  return noticeOf(state, "degraded", `${worry.id}-${worry.said}`, aboutOf(state, worry));
}

export function aboutOf(state: HostState, worry: Worry) {
  const { id, at, from, alarms } = worry;
  return { incident: id, since: at, lasted: state.age - from, alarms };
}

function withWorry(state: HostState, worry: Worry | null): HostState {
  return { ...state, concern: { ...concernOf(state), worry } };
}

/** One that has become urgent is another one. */
function keyOf({ kind, subject, urgent }: AlarmFinding): string {
  return `${kind}\n${subject}\n${urgent}`;
}
