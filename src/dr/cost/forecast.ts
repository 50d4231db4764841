import type { Millis } from "@alai/core";
import { writerInterval } from "../agent/sign.ts";
import { QUIET } from "../heartbeat/beater.ts";
import type { Database, Host, Manifest } from "../manifest/model.ts";
import { markerInterval } from "../marker.ts";
import { renderConfigs } from "../render/configs.ts";
import {
  add,
  DAY,
  DEFAULTS,
  filesPerDay,
  MINUTE,
  type Replication,
  type Requests,
  replicationPerDay,
} from "./model.ts";

/** One line of the forecast: who asks storage for what. Requests a day. */
export interface Item {
  readonly name: string;
  readonly idle: Requests;
  readonly busy: Requests;
}

export interface ForecastOptions {
  /** Of the standby's agent. */
  readonly poll: Millis;
  /** Keys to a page of a listing. */
  readonly pageSize: number;
}

/** Files that a replica has besides those of level 0: levels 1 to 3 and snapshots (facts §0.6: about a hundred a database). */
const HIGHER_FILES = 60;
const L0_RETENTION: Millis = 15 * MINUTE;
/** A primary looks at storage at every third poll, and both agents ask who may write every 10 s. */
const PRIMARY_POLLS = 3;
const TRUTH: Millis = 10_000;
/** Of `litestream restore -f` for each database at every poll (facts §0.6). */
const FOLLOW_LISTS = 9;
const FOLLOW: Millis = 1000;

/**
 * Requests to storage as the manifest makes them, with nobody writing (idle) and with one change in each database at every sync
 * (busy); and the same for Litestream left to its defaults.
 */
export function forecast(manifest: Manifest, { poll, pageSize }: ForecastOptions): { ours: Item[]; defaults: Item[] } {
  const primary = manifest.hosts.find(({ role }) => role === "primary");
  const settings = primary ? renderedSettings(manifest, primary) : DEFAULTS;
  const ours = ({ syncInterval, tier, heartbeat }: Database, change: Millis | null): Replication => ({
    ...settings,
    ...{ sync: syncInterval, change: soonest(change, quiet(heartbeat)), snapshot: tier.snapshotInterval },
  });
  const all = (replicate: (one: Database, change: Millis | null) => Replication) => ({
    idle: add(...manifest.databases.map((one) => replicationPerDay(replicate(one, null)))),
    busy: add(...manifest.databases.map((one) => replicationPerDay(replicate(one, one.syncInterval)))),
  });
  const standbys = manifest.hosts.filter(({ role }) => role === "standby").length;
  const agents = (isBusy: boolean) => agentsPerDay(manifest, { poll, pageSize, standbys, isBusy });
  const follow: Requests = {
    write: 0,
    read: 0,
    list: (manifest.databases.filter((one) => one.follow).length * FOLLOW_LISTS * DAY) / FOLLOW,
  };
  return {
    ours: [
      { name: "Litestream and heartbeats", ...all(ours) },
      { name: "agents", idle: agents(false), busy: agents(true) },
    ],
    defaults: [
      { name: "litestream replicate", ...all((_, change) => ({ ...DEFAULTS, change })) },
      { name: "litestream restore -f, 1 s", idle: follow, busy: follow },
    ],
  };
}

/** Where nothing happens a heartbeat comes as seldom as that. */
function quiet(heartbeat: Millis | null): Millis | null {
  return heartbeat === null ? null : Math.max(heartbeat, QUIET);
}

function soonest(a: Millis | null, b: Millis | null): Millis | null {
  return a === null || b === null ? (a ?? b) : Math.min(a, b);
}

/** One listing of everything at each poll, who may write and who does, whether it is the same storage, and each new file read once by each standby. */
function agentsPerDay(
  { databases, storage }: Manifest,
  { poll, pageSize, standbys, isBusy }: ForecastOptions & { readonly standbys: number; readonly isBusy: boolean },
): Requests {
  const filesOf = ({ syncInterval, heartbeat }: Database) =>
    filesPerDay({ sync: syncInterval, change: isBusy ? syncInterval : quiet(heartbeat) });
  const stored = databases.reduce((total, one) => total + HIGHER_FILES + (filesOf(one) * L0_RETENTION) / DAY, 0);
  const pages = Math.max(1, Math.ceil(stored / pageSize));
  const polls = (standbys * DAY) / poll + DAY / (PRIMARY_POLLS * poll);
  const followed = databases.filter(({ follow }) => follow).reduce((total, one) => total + filesOf(one), 0);
  const signs = DAY / writerInterval(storage.type);
  const looks = DAY / TRUTH + DAY / Math.max(markerInterval(storage.type), TRUTH);
  return { write: signs, list: polls * pages, read: (standbys + 1) * looks + standbys * followed };
}

/** What the rendered configs say, so that the forecast is of what runs. */
function renderedSettings(manifest: Manifest, host: Host): Pick<Replication, "l0Check" | "verify" | "levels"> {
  const text = renderConfigs(manifest, host, { epoch: 1 })[0]?.text ?? "";
  const levels = [.../interval:\s*(\d+\w+)/g[Symbol.matchAll](/^levels:\s*\[?((?:.|\n {2,})*)/m.exec(text)?.[1] ?? "")];
  return {
    l0Check: goLength(/^l0-retention-check-interval:\s*(\S+)/m.exec(text)?.[1]) ?? DEFAULTS.l0Check,
    verify: /^verify-compaction:\s*true/m.test(text),
    levels: levels.length > 0 ? levels.map(([, length]) => goLength(length) ?? MINUTE) : DEFAULTS.levels,
  };
}

const UNITS: Readonly<Record<string, Millis>> = { ms: 1, s: 1000, m: MINUTE, h: 60 * MINUTE };

/** `1h30m` as Go writes it. */
function goLength(text: string | undefined): Millis | null {
  const parts = [...(text ?? "").matchAll(/(\d+)(ms|s|m|h)/g)];
  return parts.length === 0
    ? null
    : parts.reduce((total, [, number, unit]) => total + Number(number) * (UNITS[unit ?? ""] ?? 0), 0);
}
