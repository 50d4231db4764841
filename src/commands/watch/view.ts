import { type Millis, toIso } from "@alai/core";
import type { View } from "../../kit/output.ts";
import type { Style } from "../../kit/style.ts";
import { relative, span } from "../../kit/when.ts";
import { alarmList } from "../../watch/machine/alarm-list.ts";
import { isOpen } from "../../watch/outbox.ts";
import type { HostRow, SaidRow } from "../../watch/status.ts";

export const HOST_FIELDS = {
  host: "the host's name",
  role: "primary or standby",
  state:
    "up, degraded (not by all paths), alarm (answers, and says that something is wrong), missed (once, not yet often enough), down, coming (answers again, not yet for long enough), unknown",
  alarms: "what it says is wrong: kind, subject, says, urgent (a p0 database is in danger)",
  since: "since when it is up, down or not well, by the watcher's clock, or null",
  paths: "by which addresses it answers: address, answers, finding, since",
  looked_at: "when the watcher last looked, or null",
  incident: "the outage that lasts, or the alarms that stand, or null",
  acknowledged: "by whom, and seconds left (null: until it answers again); or null",
  escalates_in_seconds: "until it is escalated, or null when it will not be",
  escalates_to: "person (directly), channel (everybody in it, for want of a direct-to), webhook, or nobody",
  escalated: "it was escalated",
  said: "alerts, the newest last: event, notice, channel, to, everyone (called instead of a person), state, at, tries, error",
} as const;

const COLOURS = {
  ...{ up: "good", degraded: "warn", alarm: "bad", missed: "warn", coming: "warn", down: "bad", unknown: "bad" },
} as const satisfies Record<HostRow["state"], keyof Style>;

export function hostView(now: Millis): View<HostRow> {
  return {
    columns: [
      { header: "HOST", value: ({ host }) => host, show: ({ host }, style) => style.strong(host) },
      { header: "STATE", value: ({ state }) => state, show: ({ state }, style) => style[COLOURS[state]](state) },
      {
        header: "SINCE",
        value: ({ since }) => iso(since) ?? "",
        show: ({ since }) => (since === null ? "" : relative(since, now)),
      },
      { header: "PATHS", value: pathsOf, flexible: true, wraps: true },
      { header: "TOLD", value: lastSaid, expendable: 1 },
      { header: "NEXT", value: nextOf },
      { header: "ALARMS", value: ({ alarms }) => alarmList(alarms), expendable: 2 },
      { header: "LOOKED", value: ({ lookedAt }) => iso(lookedAt) ?? "", only: "lines" },
    ],
    json: (row) => ({
      ...{ host: row.host, role: row.role, state: row.state, since: iso(row.since), looked_at: iso(row.lookedAt) },
      alarms: row.alarms,
      paths: row.paths.map((path) => ({ ...path, since: iso(path.since) })),
      incident: row.incident,
      acknowledged: row.acknowledged && {
        by: row.acknowledged.by,
        seconds_left: row.acknowledged.left === null ? null : Math.round(row.acknowledged.left / 1000),
      },
      escalates_in_seconds:
        row.escalatesIn === null || row.escalatesTo === "nobody" ? null : Math.round(row.escalatesIn / 1000),
      escalates_to: row.escalatesTo,
      escalated: row.escalated,
      said: row.said.map((said) => ({ ...said, at: iso(said.at) })),
    }),
  };
}

function iso(at: Millis | null): string | null {
  return at === null ? null : toIso(at);
}

function pathsOf({ paths }: HostRow): string {
  return paths
    .map(
      ({ address, answers, finding }) =>
        `${answers ? "✓" : "✗"} ${address}${answers && finding === "answers" ? "" : `: ${finding}`}`,
    )
    .join(", ");
}

/** The last that was told; and what was not, or not to whom it was for, with why. */
function lastSaid({ said }: HostRow): string {
  const last = said.at(-1);
  if (!last) return "";
  const isInstead = last.everyone ? " to the whole channel" : "";
  const troubles = said.filter((one) => one.error !== null && (isOpen(one) || one.notice === last.notice));
  const why = troubles.map(
    (one) => `${one.event} ${one.to === "direct" ? "directly " : ""}${WORDS[one.state]}: ${one.error}`,
  );
  return [`${last.event} ${WORDS[last.state]}${isInstead}`, ...new Set(why)].join("; ");
}

const WORDS: Readonly<Record<SaidRow["state"], string>> = {
  ...{ waiting: "not told yet", sending: "is being told", sent: "told", refused: "refused" },
};

function nextOf({ escalatesIn, escalatesTo, acknowledged, escalated }: HostRow): string {
  const who = acknowledged ? `acknowledged by ${acknowledged.by}, ` : "";
  if (escalatesIn !== null) {
    const when = escalatesIn === 0 ? "at the next miss" : `in ${span(escalatesIn)}`;
    return `${who}${ESCALATION[escalatesTo].replace("WHEN", when)}`;
  }
  if (acknowledged) return `acknowledged by ${acknowledged.by} until it is over`;
  return escalated ? "escalated" : "";
}

/** What is missing is said before it is needed. */
const ESCALATION: Readonly<Record<HostRow["escalatesTo"], string>> = {
  person: "escalates WHEN",
  channel: "calls the whole channel WHEN: no channel has direct-to",
  webhook: "tells the webhooks again WHEN: no channel has direct-to",
  nobody: "tells nobody: the manifest has no channels",
};
