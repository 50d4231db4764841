import type { Millis } from "@alai/core";
import { span } from "../../kit/when.ts";
import type { Watchdog } from "./watched.ts";

/** Alive for so long after a death, a child is well again. */
export const WELL_AGAIN: Millis = 30_000;

/** A Litestream that is not there, or died a moment ago: it is started again, and while it is not, nothing is sent. */
export const childDied: Watchdog = ({ children }) =>
  children.flatMap(({ report, diedAgo }) => {
    const { name, pid, lastExit, restarts } = report;
    if (diedAgo === null || (pid !== null && diedAgo > WELL_AGAIN)) return [];
    const state = pid === null ? "is down and about to be started again" : "was started again";
    const sentence = `${name} ended by itself ${span(diedAgo)} ago (${lastExit ?? "unknown how"}; ${restarts} restarts in all) and ${state}.`;
    return [{ kind: "child_died", subject: name, sentence }];
  });
