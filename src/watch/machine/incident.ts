import type { Millis } from "@alai/core";
import type { HostState } from "./host.ts";
import type { Notice, NoticeKind } from "./notice.ts";

/** Something that lasts, has a name, and may be taken in hand: an outage, or alarms. */
export interface Incident {
  readonly id: string;
  /** When it began, by the watcher's clock. */
  readonly at: Millis;
  /** The same in the state's age. */
  readonly from: Millis;
  /** The escalation has been made, and no acknowledgement ran out since. */
  readonly escalated: boolean;
  /** How often somebody was told directly. */
  readonly escalations: number;
  readonly ack: Ack | null;
  /** Whose acknowledgement ran out; null when none did. */
  readonly ranOut: string | null;
}

export interface Ack {
  readonly id: string;
  readonly by: string;
  /** How long it holds; null until the end. */
  readonly for: Millis | null;
  /** Age of the state when it was taken note of. */
  readonly from: Millis;
}

/** An acknowledgement as it was asked for. */
export interface AckRequest {
  readonly id: string;
  readonly incident: string;
  readonly by: string;
  readonly for: Millis | null;
}

export interface Step {
  readonly state: HostState;
  readonly notices: readonly Notice[];
}

/** A new one. @param from age of the state when it began. @param what part of its name, which is the same after a restart. */
export function beginning(state: HostState, from: Millis, what = ""): Incident {
  const at = wallOf(state, from);
  const id = nameOf(`${state.host}${what}`, at, state.count + 1);
  return { id, at, from, escalated: false, escalations: 0, ack: null, ranOut: null };
}

/** When a state was of this age, by the watcher's clock. */
export function wallOf(state: HostState, age: Millis): Millis {
  return state.at - (state.age - age);
}

/** The same after a restart, another one after the state was lost. */
export function nameOf(what: string, at: Millis, count: number): string {
  return `${what}-${new Date(at).toISOString().replaceAll(/[-:]|\.\d+/g, "")}-${count}`;
}

/** Without an acknowledgement that has run out by now. */
export function withoutExpired<I extends Incident>(incident: I, age: Millis): I {
  const { ack } = incident;
  if (!ack || ack.for === null || age - ack.from < ack.for) return incident;
  return { ...incident, ack: null, escalated: false, ranOut: ack.by };
}

/** The incident with the newest acknowledgement of it; null where there is none. */
export function acknowledged<I extends Incident>(
  incident: I | null,
  requests: readonly AckRequest[],
  age: Millis,
): (I & { readonly ack: Ack }) | null {
  const request = requests.findLast((one) => one.incident === incident?.id);
  if (!incident || !request) return null;
  return { ...incident, ack: { id: request.id, by: request.by, for: request.for, from: age }, ranOut: null };
}

/** It and what is said of it when a person is told directly. */
export function escalated<I extends Incident>(incident: I): I {
  return { ...incident, escalated: true, escalations: incident.escalations + 1, ranOut: null };
}

export function chain(first: Step, ...parts: ((state: HostState) => Step)[]): Step {
  return parts.reduce(({ state, notices }, part) => {
    const next = part(state);
    return { state: next.state, notices: [...notices, ...next.notices] };
  }, first);
}

export type More = Pick<Notice, "since" | "lasted"> & Partial<Notice>;

/** @param subject what it is about: part of its id, which is the same for the same event. */
export function noticeOf(state: HostState, kind: NoticeKind, subject: string, more: More): Notice {
  return {
    id: `${subject}-${kind}`,
    kind,
    host: state.host,
    incident: state.incident?.id ?? null,
    at: state.at,
    path: null,
    paths: Object.entries(state.paths).map(([address, { answers, finding }]) => ({ address, answers, finding })),
    alarms: null,
    by: null,
    quietFor: null,
    direct: false,
    ...more,
  };
}
