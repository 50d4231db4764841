import type { Millis } from "@alai/core";
import type { Alarm } from "../report.ts";
import { putAside } from "./aside.ts";
import { childDied } from "./child.ts";
import { clockSkew } from "./clock.ts";
import { dailyFailed } from "./daily.ts";
import { damaged } from "./damage.ts";
import { diskLow } from "./disk.ts";
import { followerStalled } from "./follower.ts";
import { heartbeatOld } from "./heartbeat.ts";
import { historyLost } from "./history.ts";
import { proofFailed, unproven } from "./proof.ts";
import { readersBehind } from "./readers.ts";
import { shippingStalled } from "./shipping.ts";
import { storageTrouble } from "./storage.ts";
import { unsafeVersion } from "./version.ts";
import type { Finding, Watchdog, Watched } from "./watched.ts";
import { foreignWriter } from "./writer.ts";

const WATCHDOGS: readonly Watchdog[] = [
  storageTrouble,
  foreignWriter,
  shippingStalled,
  followerStalled,
  readersBehind,
  childDied,
  heartbeatOld,
  damaged,
  historyLost,
  putAside,
  diskLow,
  clockSkew,
  unsafeVersion,
  dailyFailed,
  unproven,
  proofFailed,
];

/** What changed between two looks. */
export interface Settled {
  readonly alarms: readonly Alarm[];
  readonly fired: readonly Alarm[];
  readonly calmed: readonly Alarm[];
}

/** One look of every watchdog. An alarm that goes on keeps the time at which it began, over a restart of the agent too. */
export function watch(watched: Watched, before: readonly Alarm[]): Settled {
  return settle(
    WATCHDOGS.flatMap((watchdog) => watchdog(watched)),
    before,
    watched.now,
  );
}

export function settle(findings: readonly Finding[], before: readonly Alarm[], now: Millis): Settled {
  const old = new Map(before.map((alarm) => [keyOf(alarm), alarm]));
  const found = new Map(findings.map((finding) => [keyOf(finding), finding]));
  const alarms = [...found].map(([key, finding]) => ({ ...finding, since: old.get(key)?.since ?? now }));
  return {
    alarms,
    fired: alarms.filter((alarm) => !old.has(keyOf(alarm))),
    calmed: before.filter((alarm) => !found.has(keyOf(alarm))),
  };
}

function keyOf({ kind, subject }: Finding): string {
  return `${kind} ${subject}`;
}
