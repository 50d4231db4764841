import type { Millis } from "@alai/core";
import type { Host, Manifest } from "../manifest/model.ts";

/** What is done every day by the agent of one host. */
export type Job = "prove" | "drill";

export const JOBS: readonly Job[] = ["prove", "drill"];

const DAY: Millis = 86_400_000;

/** Who does it: the standby, which is to be able to restore; the primary where there is no other. */
export function dailyHost({ hosts }: Manifest): Host | undefined {
  return hosts.find(({ role }) => role === "standby") ?? hosts[0];
}

/** The first moment after `last` that is so long after midnight UTC. @param time ms after midnight. */
export function nextAfter(time: Millis, last: Millis): Millis {
  const today = last - (((last % DAY) + DAY) % DAY) + time;
  return today > last ? today : today + DAY;
}
