import { span } from "../../kit/when.ts";
import type { Notice } from "./notice.ts";

/** What a notice says, in one plain line; names in it are as they were given. */
export function sentenceOf(notice: Notice): string {
  const { host, lasted, path } = notice;
  switch (notice.kind) {
    case "down":
      return `${host} is down: no answer since ${clock(notice.since)}${reasons(notice)}`;
    case "escalated":
      return `${host} has been down for ${span(lasted)}, since ${clock(notice.since)}${ranOut(notice)}${reasons(notice)}. Acknowledge: alai watch ack ${host}`;
    case "recovered":
      return `${host} answers again. It was down for ${span(lasted)}, from ${clock(notice.since)}`;
    case "degraded":
      return `${host} is up, but not by ${path}: no answer there since ${clock(notice.since)}${reasons(notice, path)}`;
    case "path_back":
      return `${host} answers by ${path} again, after ${span(lasted)}`;
    case "acknowledged":
      return `${notice.by} has the outage of ${host} in hand: nobody is told directly ${quiet(notice)}`;
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

function quiet({ quietFor }: Notice): string {
  return quietFor === null ? "until it answers again" : `for ${span(quietFor)}`;
}
