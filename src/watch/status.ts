import type { Millis } from "@alai/core";
import type { Host, WatchSpec } from "../dr/manifest/model.ts";
import { escalationTo } from "./channels/recipients.ts";
import { concernOf } from "./machine/concern.ts";
import type { HostState, PathState } from "./machine/host.ts";
import type { Incident } from "./machine/incident.ts";
import type { AlarmFinding } from "./machine/notice.ts";
import type { Delivery } from "./outbox.ts";
import type { Kept } from "./store.ts";

/** How a host is, as the watcher last saw it. */
export interface HostRow {
  readonly host: string;
  readonly role: Host["role"];
  /**
   * `unknown`: never looked at, or no watcher has looked lately. `coming`: it answers, not yet for long enough. `alarm`: it answers, and
   * says itself that something is wrong.
   */
  readonly state: "up" | "degraded" | "alarm" | "missed" | "coming" | "down" | "unknown";
  /** What it says is wrong; empty: nothing, or it does not say. */
  readonly alarms: readonly AlarmFinding[];
  /** Since when it is up, down or not well, by the watcher's clock; null when unknown. */
  readonly since: Millis | null;
  readonly paths: readonly PathRow[];
  readonly lookedAt: Millis | null;
  readonly incident: string | null;
  readonly acknowledged: { readonly by: string; readonly left: Millis | null } | null;
  /** How long until it is escalated, 0 for at the next miss; null when it will not be. */
  readonly escalatesIn: Millis | null;
  /** Whom that goes to, as the manifest has it. */
  readonly escalatesTo: ReturnType<typeof escalationTo>;
  readonly escalated: boolean;
  /** What was said of it, the newest last. */
  readonly said: readonly SaidRow[];
}

export interface PathRow {
  readonly address: string;
  readonly answers: boolean;
  readonly finding: string;
  readonly since: Millis;
}

export interface SaidRow {
  readonly event: string;
  /** The same for all to whom the same is told. */
  readonly notice: string;
  readonly channel: string;
  readonly to: string;
  /** The whole channel was called, because a person could not be told directly. */
  readonly everyone: boolean;
  readonly state: Delivery["state"];
  readonly at: Millis;
  readonly tries: number;
  readonly error: string | null;
}

/** How long a watcher may be silent before what it saw is no news any more. */
export function isFresh({ at, interval }: Pick<Kept, "at" | "interval">, now: Millis): boolean {
  return Math.abs(now - at) <= 3 * interval + 15_000;
}

/** Something for exit 1. */
export function isBad({ state }: Pick<HostRow, "state">): boolean {
  return state === "down" || state === "coming" || state === "alarm";
}

/** @param now null: what was just looked at. */
export function statusRows(
  hosts: readonly Host[],
  watch: WatchSpec,
  kept: Kept | null,
  now: Millis | null,
): readonly HostRow[] {
  const fresh = kept !== null && (now === null || isFresh(kept, now));
  return hosts.map((host) => rowOf(host, watch, kept, fresh ? kept.hosts[host.name] : undefined));
}

function rowOf(host: Host, watch: WatchSpec, kept: Kept | null, state: HostState | undefined): HostRow {
  const said = (kept?.deliveries ?? []).filter(({ notice }) => notice.host === host.name).map(saidRow);
  const lookedAt = kept?.hosts[host.name]?.at ?? null;
  const row = { host: host.name, role: host.role, lookedAt, said, escalatesTo: escalationTo(watch.channels) };
  if (!state)
    return {
      ...row,
      ...{ state: "unknown", since: null, paths: [], alarms: [], incident: null, acknowledged: null },
      ...{ escalatesIn: null, escalated: false },
    };
  const { found, worry } = concernOf(state);
  // What is down says nothing of itself.
  const incident = state.incident ?? worry;
  return {
    ...row,
    state: stateOf(state),
    since: state.incident || !worry ? state.since : worry.at,
    alarms: found.length > 0 ? found : (worry?.alarms ?? []),
    paths: Object.entries(state.paths).map(([address, path]) => pathRow(address, path)),
    incident: incident?.id ?? null,
    acknowledged: incident?.ack ? { by: incident.ack.by, left: left(incident, state.age) } : null,
    escalatesIn: escalatesIn(state, watch),
    escalated: (incident?.escalations ?? 0) > 0,
  };
}

function stateOf(state: HostState): HostRow["state"] {
  const { signal, paths } = state;
  if (signal.lost) return signal.answersSince === null ? "down" : "coming";
  if (signal.misses > 0) return "missed";
  if (concernOf(state).worry) return "alarm";
  return Object.values(paths).some((path) => path.signal.lost) ? "degraded" : "up";
}

function left({ ack }: Incident, age: Millis): Millis | null {
  return ack && ack.for !== null ? Math.max(0, ack.for - (age - ack.from)) : null;
}

/** Alarms are escalated only where one is urgent. */
function escalatesIn(state: HostState, watch: WatchSpec): Millis | null {
  const { worry } = concernOf(state);
  const { age } = state;
  const incident = state.incident ?? worry;
  const from = state.incident ? state.incident.from : (worry?.urgentFrom ?? null);
  if (!incident || from === null) return null;
  const until = Math.max(0, watch.escalateAfter - (age - from));
  if (incident.ack) {
    const quiet = left(incident, age);
    return quiet === null ? null : Math.max(quiet, until);
  }
  return incident.escalated ? null : until;
}

function pathRow(address: string, { answers, finding, since }: PathState): PathRow {
  return { address, answers, finding, since };
}

function saidRow({ notice, channel, to, everyone = false, state, doneAt, owedAt, tries, error }: Delivery): SaidRow {
  return { event: notice.kind, notice: notice.id, channel, to, everyone, state, at: doneAt ?? owedAt, tries, error };
}
