import { span } from "../../kit/when.ts";
import { alarmList } from "./alarm-list.ts";
import { type AlarmFinding, type Notice, STUCK } from "./notice.ts";

/** What a notice says, in one plain line; names in it are as they were given. */
export function sentenceOf(notice: Notice): string {
  return notice.alarms ? ofAlarms(notice, notice.alarms) : ofOutage(notice);
}

function ofAlarms(notice: Notice, alarms: readonly AlarmFinding[]): string {
  const { host, lasted } = notice;
  switch (notice.kind) {
    case "recovered":
      return `${host} is well again. It was not for ${span(lasted)}, from ${clock(notice.since)}: ${alarmList(alarms)}`;
    case "acknowledged":
      return `${notice.by} has the alarms of ${host} in hand: nobody is told directly of them ${quiet(notice, "until they are over")}`;
    case "escalated":
      return `${host} has not been well for ${span(lasted)}, since ${clock(notice.since)}${ranOut(notice)}: ${alarmList(alarms)}. Look: alai dr status. Acknowledge: alai watch ack ${host}`;
    default:
      return `${host} answers, but is not well since ${clock(notice.since)}: ${alarmList(alarms)}. Look: alai dr status`;
  }
}

function ofOutage(notice: Notice): string {
  const { host, lasted, path } = notice;
  switch (notice.kind) {
    case "down":
      return `${host} is down: ${silence(notice)} since ${clock(notice.since)}${reasons(notice)}`;
    case "escalated":
      return `${host} has been down for ${span(lasted)}, since ${clock(notice.since)}${ranOut(notice)}${reasons(notice)}. Acknowledge: alai watch ack ${host}`;
    case "recovered":
      return `${host} answers again. It was down for ${span(lasted)}, from ${clock(notice.since)}`;
    case "degraded":
      return `${host} is up, but not by ${path}: no answer there since ${clock(notice.since)}${reasons(notice, path)}`;
    case "path_back":
      return `${host} answers by ${path} again, after ${span(lasted)}`;
    case "acknowledged":
      return `${notice.by} has the outage of ${host} in hand: nobody is told directly ${quiet(notice, "until it answers again")}`;
  }
}

function clock(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

function reasons({ paths }: Notice, only: string | null = null): string {
  const lost = paths.filter(({ address, answers }) => !answers && (only === null || address === only));
  if (lost.length === 0) return "";
  return ` (${lost.map(({ address, finding }) => (only === null ? `${address}: ${finding}` : finding)).join("; ")})`;
}

function ranOut({ by }: Notice): string {
  return by === null ? "" : `, and the acknowledgement of ${by} has run out`;
}

function quiet({ quietFor }: Notice, end: string): string {
  return quietFor === null ? end : `for ${span(quietFor)}`;
}

/** An agent that answers that it does nothing any more is as good as none, but not silent. */
function silence({ paths }: Notice): string {
  return paths.some(({ finding }) => finding === STUCK) ? "its agent has hung" : "no answer";
}
