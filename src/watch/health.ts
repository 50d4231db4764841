import type { Answer } from "../kit/http.ts";
import { oneLine, truncate } from "../kit/text.ts";
import { type PathFinding, STUCK } from "./machine/notice.ts";

/** What an agent says of itself on `/health`; subjects of alarms are not there. */
export interface Health {
  readonly role: string | null;
  readonly waiting: string | null;
  readonly alarms: readonly RaisedAlarm[];
}

export interface RaisedAlarm {
  readonly kind: string;
  readonly subject: string;
}

type Said = Readonly<Record<string, unknown>>;

/** What one answer shows: whether the host's agent lives there, and how it says it is; null where it does not say. */
export interface Seen extends Omit<PathFinding, "address"> {
  readonly health: Health | null;
}

/** An agent that has hung, or is another one's, is none; one that lets only those in who have its token lives. */
export function seenIn(answer: Answer, name: string): Seen {
  const { status } = answer;
  const said = objectIn(answer);
  const host = wordOf(said?.host, 60);
  if (host !== null && host !== name) return lost(`another host answers there, ${host}`);
  if (status === 401 || status === 403) return { answers: true, finding: "answers, and wants a token", health: null };
  if (host === null || (status !== 200 && status !== 503)) return lost(`answers ${status}, not as an agent`);
  if (status === 503 || said?.status === "stuck") return lost(STUCK);
  return { answers: true, finding: "answers", health: said && healthIn(said) };
}

function lost(finding: string): Seen {
  return { answers: false, finding, health: null };
}

/** Null where it says no more than that it lives. */
function healthIn(said: Said): Health | null {
  const status = wordOf(said.status, 60);
  if (status === null) return null;
  const waiting = wordOf(said.waiting, 300) ?? (status === "waiting" ? "it does not say why" : null);
  const alarms = Array.isArray(said.alarms) ? said.alarms.flatMap((kind) => wordOf(kind, 60) ?? []) : [];
  // Not well for a reason that this version does not know.
  const isSilent = status !== "ok" && waiting === null && alarms.length === 0;
  const kinds = isSilent ? [status] : [...new Set(alarms)];
  return { role: wordOf(said.role, 60), waiting, alarms: kinds.map((kind) => ({ kind, subject: "" })) };
}

/** The alarms of a `/report`, with what each is about. */
export function alarmsIn(report: { readonly alarms?: unknown }): readonly RaisedAlarm[] {
  if (!Array.isArray(report.alarms)) return [];
  return report.alarms.flatMap((alarm: Said | null) => {
    const kind = wordOf(alarm?.kind, 60);
    return kind === null ? [] : [{ kind, subject: wordOf(alarm?.subject, 120) ?? "" }];
  });
}

function objectIn({ body }: Answer): Said | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(body).toString("utf8"));
    return typeof value === "object" && value !== null ? (value as Said) : null;
  } catch {
    return null;
  }
}

/** It comes over the network, and goes to people. */
function wordOf(value: unknown, longest: number): string | null {
  return typeof value === "string" && value !== "" ? truncate(oneLine(value), longest) : null;
}
