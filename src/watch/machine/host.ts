import type { Millis } from "@alai/core";
import { type Concern, forgetConcern, stepConcern } from "./concern.ts";
import {
  type AckRequest,
  acknowledged,
  beginning,
  chain,
  escalated,
  type Incident,
  nameOf,
  noticeOf,
  type Step,
  wallOf,
  withoutExpired,
} from "./incident.ts";
import type { AlarmFinding, PathFinding } from "./notice.ts";
import { FRESH, type Signal, stepSignal } from "./signal.ts";

/** What is known of one host. Plain data: it goes into a file and comes back. */
export interface HostState {
  readonly host: string;
  /** When it was last looked at, by the watcher's clock. */
  readonly at: Millis;
  /** How long it has been watched: sums of measured lengths, so that it only grows. Every decision counts in it. */
  readonly age: Millis;
  /** Whether any path answers. */
  readonly signal: Signal;
  /** Since when it is as it is, by the watcher's clock: for people. */
  readonly since: Millis;
  readonly paths: Readonly<Record<string, PathState>>;
  /** While it is down. */
  readonly incident: Incident | null;
  /** What its agent says of itself. A state of an earlier version has none. */
  readonly concern?: Concern | undefined;
  /** Outages, alarms and lost paths so far: part of the ids of notices. */
  readonly count: number;
  /** The last round took so long that its misses were left out. */
  readonly late: boolean;
}

export interface PathState {
  readonly signal: Signal;
  /** Whether the last probe was answered, and with what or why not. */
  readonly answers: boolean;
  readonly finding: string;
  /** Since when it answers, or does not, by the watcher's clock. */
  readonly since: Millis;
  /** That it is lost was said, under this name; null: nothing to take back. */
  readonly told: { readonly id: string; readonly at: Millis; readonly from: Millis } | null;
}

/** One look at a host by all of its paths. */
export interface Probe {
  readonly paths: readonly PathFinding[];
  /** What its agent says is wrong; null: it says nothing, or not to us. */
  readonly alarms: readonly AlarmFinding[] | null;
  /** It took much longer than its deadline: it was the watcher that stood still, and what it missed says little. */
  readonly late: boolean;
  /** Acknowledgements that came since the last look. */
  readonly acks: readonly AckRequest[];
}

export interface Moment {
  /** The wall clock: for people, and for what passed while no watcher ran. */
  readonly wall: Millis;
  /** Since the look before, by a clock that nobody sets; null for the first look of a process. */
  readonly elapsed: Millis | null;
}

export interface Rules {
  readonly interval: Millis;
  readonly misses: number;
  readonly escalateAfter: Millis;
}

/** A wall clock that jumped while no watcher ran makes an outage at most this much longer. */
const LONGEST_GAP: Millis = 24 * 3_600_000;

export function freshHost(host: string, wall: Millis): HostState {
  return {
    ...{ host, at: wall, age: 0, signal: FRESH, since: wall, paths: {}, incident: null, count: 0, late: false },
  };
}

/** What one look changes, and what is to be said of it. Pure: it looks at no clock and sends nothing. */
export function stepHost(before: HostState, probe: Probe, now: Moment, rules: Rules): Step {
  const elapsed = now.elapsed ?? Math.min(LONGEST_GAP, Math.max(0, now.wall - before.at));
  const state = forgetGap(withPaths(before, probe, now.wall), elapsed, rules);
  const at = { ...state, at: now.wall, age: before.age + elapsed };
  // A watcher that stood still missed the answers too; twice in a row is no excuse any more.
  const isVoid = probe.late && !before.late;
  const seen = look(at, probe, isVoid, now.wall, rules);
  return chain(
    { state: { ...seen, late: isVoid }, notices: [] },
    (was) => hostChange(at, was),
    (was) => ackChange(was, probe.acks),
    (was) => escalation(was, isVoid, rules),
    (was) => pathChanges(was),
    (was) => stepConcern(was, probe.alarms, probe.acks, rules),
  );
}

/** Paths as the manifest has them now; what it no longer has is forgotten. */
function withPaths(state: HostState, { paths }: Probe, wall: Millis): HostState {
  const known = ({ address }: PathFinding): PathState =>
    state.paths[address] ?? { signal: FRESH, answers: true, finding: "", since: wall, told: null };
  return { ...state, paths: Object.fromEntries(paths.map((path) => [path.address, known(path)])) };
}

/** A miss before a long pause and one after it are not in a row. */
function forgetGap(state: HostState, elapsed: Millis, rules: Rules): HostState {
  if (elapsed <= 3 * rules.interval + 10_000) return state;
  const forget = (signal: Signal): Signal => (signal.lost ? signal : { ...FRESH, backs: signal.backs });
  const paths = Object.entries(state.paths).map(([address, path]) => [
    address,
    { ...path, signal: forget(path.signal) },
  ]);
  const concern = forgetConcern(state);
  return { ...state, signal: forget(state.signal), paths: Object.fromEntries(paths), ...(concern && { concern }) };
}

function look(state: HostState, probe: Probe, isVoid: boolean, wall: Millis, rules: Rules): HostState {
  const paths = { ...state.paths };
  for (const { address, answers, finding } of probe.paths) {
    const path = paths[address];
    if (!path || (isVoid && !answers)) continue;
    const signal = stepSignal(path.signal, answers, state.age, rules.misses);
    const since = answers === path.answers && path.finding !== "" ? path.since : wall;
    paths[address] = { ...path, signal, answers, finding, since };
  }
  const answered = probe.paths.some(({ answers }) => answers);
  const signal = isVoid && !answered ? state.signal : stepSignal(state.signal, answered, state.age, rules.misses);
  return { ...state, paths, signal };
}

/** Down, and up again. */
function hostChange(before: HostState, state: HostState): Step {
  if (state.signal.lost && !state.incident) return goDown(state);
  if (state.signal.lost || !state.incident) return { state, notices: [] };
  const { incident } = state;
  // Until it answered again, not until it had answered for long enough.
  const until = before.signal.answersSince ?? state.age;
  const notice = noticeOf(state, "recovered", incident.id, {
    since: incident.at,
    lasted: until - incident.from,
    direct: incident.escalations > 0,
  });
  return { state: { ...state, incident: null, since: state.at, paths: secondChance(state.paths) }, notices: [notice] };
}

function goDown(state: HostState): Step {
  const incident = beginning(state, state.signal.missedAt ?? state.age);
  const { id, at, from } = incident;
  const down = { ...state, count: state.count + 1, incident, since: at };
  return { state: down, notices: [noticeOf(down, "down", id, { since: at, lasted: state.age - from })] };
}

/** Paths that come back a little later than the first are not worth a word. */
function secondChance(paths: HostState["paths"]): HostState["paths"] {
  return Object.fromEntries(
    Object.entries(paths).map(([address, path]) => [
      address,
      path.told === null ? { ...path, signal: { ...FRESH, backs: path.signal.backs } } : path,
    ]),
  );
}

function ackChange(state: HostState, requests: readonly AckRequest[]): Step {
  const incident = acknowledged(state.incident, requests, state.age);
  if (!incident) return { state, notices: [] };
  const { id, at, from, ack } = incident;
  const after = { ...state, incident };
  const more = { since: at, lasted: state.age - from, by: ack.by, quietFor: ack.for };
  return { state: after, notices: [noticeOf(after, "acknowledged", `${id}-${ack.id}`, more)] };
}

/** Only on a miss: a host that answers again, but not for long enough yet, is on its way. */
function escalation(before: HostState, isVoid: boolean, rules: Rules): Step {
  if (!before.incident) return { state: before, notices: [] };
  const incident = withoutExpired(before.incident, before.age);
  const state = { ...before, incident };
  const isMissed = state.signal.misses > 0 && !isVoid;
  const lasted = state.age - incident.from;
  if (!isMissed || incident.ack || incident.escalated || lasted < rules.escalateAfter) return { state, notices: [] };
  const after = escalated(incident);
  const more = { since: incident.at, lasted, by: incident.ranOut, direct: true };
  return {
    state: { ...state, incident: after },
    notices: [noticeOf(state, "escalated", `${incident.id}-${after.escalations}`, more)],
  };
}

/** Paths are a subject only while the host is up: when it is down, all of them are lost. */
function pathChanges(before: HostState): Step {
  if (before.signal.lost) return { state: before, notices: [] };
  const changed = Object.entries(before.paths).filter(([, { signal, told }]) => signal.lost !== (told !== null));
  return chain({ state: before, notices: [] }, ...changed.map(([address, path]) => pathChange(address, path)));
}

function pathChange(address: string, path: PathState): (state: HostState) => Step {
  return (state) => {
    const from = path.signal.missedAt ?? state.age;
    const at = wallOf(state, from);
    const about = path.told ?? { id: nameOf(`${state.host}-path`, at, state.count + 1), at, from };
    const told = path.told ? null : about;
    const paths = { ...state.paths, [address]: { ...path, told } };
    const after = { ...state, paths, count: state.count + (told ? 1 : 0) };
    const more = { since: about.at, lasted: state.age - about.from, path: address };
    return { state: after, notices: [noticeOf(after, told ? "degraded" : "path_back", about.id, more)] };
  };
}
