import type { Millis } from "@alai/core";
import { span } from "../../kit/when.ts";
import type { Finding, Watchdog, WatchedDatabase } from "./watched.ts";

/** A heartbeat may be late by two of its own intervals, and by what a busy machine needs. */
const GIVE: Millis = 10_000;

/**
 * The newest heartbeat that is to be had is older than the tier allows: on the primary the one last written, on the standby the one
 * read out of the copy, which is made from storage alone.
 */
export const heartbeatOld: Watchdog = ({ databases, role, now, startedAt }) =>
  databases.flatMap((watched) => {
    const { database, report } = watched;
    if (database.heartbeat === null || report.state === "empty" || report.state === "missing") return [];
    const last = role === "primary" ? watched.beatenAt : backAt(watched);
    // A copy without a heartbeat: none was ever written, which the primary knows the reason of.
    if (role === "standby" && last === null) return [];
    const age = now - (last ?? startedAt);
    const allowed = allowedAge(database.heartbeat, database.tier.rpo, role);
    return age > allowed ? [finding(watched, last === null ? null : age, role)] : [];
  });

/** The newest moment that a heartbeat in the copy stands for; null: there is none. */
function backAt({ report }: WatchedDatabase): Millis | null {
  const at = report.applied?.beat?.at;
  return at === undefined ? null : Math.max(at, report.proven?.until ?? 0);
}

/** On the standby the beat has come the whole way, which the tier's RPO limits. */
export function allowedAge(interval: Millis, rpo: Millis, role: "primary" | "standby"): Millis {
  const ownPace = 3 * interval + GIVE;
  return role === "primary" ? ownPace : Math.max(rpo, interval + GIVE);
}

function finding({ database, beatTrouble }: WatchedDatabase, age: Millis | null, role: string): Finding {
  const where = role === "primary" ? "written" : "that came back out of storage";
  const what = age === null ? `No heartbeat ${where} is known.` : `The newest heartbeat ${where} is ${span(age)} old.`;
  return { kind: "heartbeat_old", subject: database.name, sentence: beatTrouble ? `${what} ${beatTrouble}` : what };
}
