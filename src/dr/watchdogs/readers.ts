import type { Millis } from "@alai/core";
import { span } from "../../kit/when.ts";
import type { Watchdog } from "./watched.ts";

/** Each copy is checked whole before readers get it, one after the other: with 926 MB of databases up to 126 s passed (bench:dr). */
const ORDINARY: Millis = 5 * 60_000;

/** All are published one after the other, with a rest of twice as long after each (copy/publish.ts): a round, and one more. */
const ROUNDS = 2 * 3;

/** How long readers may lack what the working copy has. @param lasted how long it took to publish each of all the last time. */
export function readersPatience(rpo: Millis, lasted: readonly Millis[]): Millis {
  return Math.max(ORDINARY, rpo, ROUNDS * lasted.reduce((sum, one) => sum + one, 0));
}

/** Readers are given nothing newer: said at once where something is in the way, else when it takes longer than it may. */
export const readersBehind: Watchdog = ({ role, databases, now }) => {
  if (role !== "standby") return [];
  const lasted = databases.map(({ report }) => report.readers?.lasted ?? 0);
  return databases.flatMap(({ database: { name, tier }, report: { readers } }) => {
    if (!readers) return [];
    const { behindSince, trouble } = readers;
    const waited = behindSince === null ? 0 : now - behindSince;
    if (trouble === null && waited <= readersPatience(tier.rpo, lasted)) return [];
    const sentence =
      trouble === null
        ? `Readers have got nothing newer for ${span(waited)}, although the working copy has more.`
        : `Readers get nothing newer: ${trouble}`;
    return [{ kind: "readers_behind", subject: name, sentence }];
  });
};
