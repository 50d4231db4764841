import { join, posix } from "node:path";
import type { Millis } from "@alai/core";
import type { Database, Host, Manifest, StorageSpec } from "../manifest/model.ts";
import { goDuration } from "./go-duration.ts";
import { header } from "./header.ts";
import { portsOf } from "./ports.ts";
import type { RenderedFile } from "./rendered.ts";

/** The configuration of one Litestream process, and what whoever starts it has to know. */
export interface LitestreamConfig extends RenderedFile {
  readonly kind: "litestream";
  /** Of the process: the tiers in it, `p0-critical`. */
  readonly process: string;
  readonly retention: Millis;
  readonly snapshotInterval: Millis;
  /** Its control socket; the folder must be there before it starts. */
  readonly socket: string;
  /** Where it serves metrics: `127.0.0.1:PORT`. */
  readonly address: string;
  readonly databases: readonly { readonly name: string; readonly path: string; readonly replica: string }[];
}

export interface RenderOptions {
  /** Rises with every promotion; replicas of one never touch those of another. */
  readonly epoch: number;
  /** Which databases are in them; absent: all. Names, sockets and ports of the processes stay the same. */
  readonly only?: (database: Database) => boolean;
}

/**
 * The configurations of the Litestream processes of a host that writes: one for each retention and snapshot interval, because a
 * process has one of each (0.5 refuses differing ones, its issue 1174). Run it with `replicateWords`.
 */
export function renderConfigs(manifest: Manifest, host: Host, { epoch, only }: RenderOptions): LitestreamConfig[] {
  const classes = classesOf(manifest);
  const ports = portsOf(manifest.hosts, host, classes.length);
  return classes.flatMap((all, at): LitestreamConfig[] => {
    const [first] = all;
    if (!first) return [];
    const members = only ? all.filter(only) : all;
    const process = [...new Set(all.map(({ tier }) => tier.name))].join("+");
    const plan = {
      kind: "litestream",
      process,
      name: `litestream-${process}.yml`,
      retention: first.tier.retention,
      snapshotInterval: first.tier.snapshotInterval,
      // Numbered: the path of a Unix socket has 103 bytes at most on a Mac.
      socket: join(host.state, "run", `${at + 1}.sock`),
      address: `127.0.0.1:${ports[at]}`,
      databases: members.map(({ name, path }) => ({
        ...{ name, path: posix.join(host.databases, path) },
        replica: replicaPath(manifest.storage, epoch, name),
      })),
    } as const;
    return [{ ...plan, text: header("#", manifest, host, epoch) + settings(plan) + entries(manifest, plan, members) }];
  });
}

/** The words that run Litestream with a rendered file. A `$` in a path is a `$`. */
export function replicateWords(file: string): readonly string[] {
  return ["replicate", "-no-expand-env", "-config", file];
}

/** Databases that one process can serve together, in the order of their tiers. */
function classesOf({ databases }: Manifest): readonly (readonly Database[])[] {
  const classes = new Map<string, Database[]>();
  for (const database of databases.toSorted((a, b) => a.tier.order - b.tier.order)) {
    const { retention, snapshotInterval } = database.tier;
    const key = `${retention} ${snapshotInterval}`;
    classes.set(key, [...(classes.get(key) ?? []), database]);
  }
  return [...classes.values()];
}

/** Where a replica is in its container, bucket or file system. */
function replicaPath(storage: StorageSpec, epoch: number, name: string): string {
  const below = posix.join(storage.prefix, `e${epoch}`, name);
  return storage.type === "file" ? posix.join(storage.path, below) : below;
}

/**
 * What holds for the whole process. Levels and L0 checks are where the money goes: an idle database costs 8 listings a minute by
 * default, nearly all of them for L0 retention.
 */
function settings(plan: Pick<LitestreamConfig, "address" | "socket" | "retention" | "snapshotInterval">): string {
  return `addr: ${quoted(plan.address)}
socket:
  enabled: true
  path: ${quoted(plan.socket)}
snapshot:
  interval: ${goDuration(plan.snapshotInterval)}
  retention: ${goDuration(plan.retention)}
l0-retention: 15m
l0-retention-check-interval: 5m
verify-compaction: true
validation:
  interval: 6h
shutdown-sync-timeout: 5s
logging:
  level: warn
  type: json
  stderr: true
`;
}

function entries(
  { storage }: Manifest,
  { databases }: Pick<LitestreamConfig, "databases">,
  members: readonly Database[],
): string {
  const lines = members.map(({ syncInterval }, at) => {
    const { path = "", replica = "" } = databases[at] ?? {};
    // Each look at the WAL makes a file of its own, and each file is sent by itself: looking as seldom as sending saves writes.
    return `  - path: ${quoted(path)}
    monitor-interval: ${goDuration(syncInterval)}
    replica:
${replicaLines(storage)
  .map((line) => `      ${line}\n`)
  .join("")}      path: ${quoted(replica)}
      sync-interval: ${goDuration(syncInterval)}
      auto-recover: false
`;
  });
  return `dbs:\n${lines.join("")}`;
}

/** Which storage, without its credentials: those are in the environment. */
function replicaLines(storage: StorageSpec): string[] {
  if (storage.type === "file") return ["type: file"];
  const endpoint = storage.endpoint === null ? [] : [`endpoint: ${quoted(storage.endpoint)}`];
  if (storage.type === "azure")
    return [
      "type: abs",
      `account-name: ${quoted(storage.account)}`,
      `bucket: ${quoted(storage.container)}`,
      ...endpoint,
    ];
  const pathStyle = storage.endpoint === null ? [] : ["force-path-style: true"];
  return [
    "type: s3",
    `bucket: ${quoted(storage.bucket)}`,
    `region: ${quoted(storage.region)}`,
    ...endpoint,
    ...pathStyle,
  ];
}

/** A text as YAML has it: JSON's form is one of YAML's. */
function quoted(text: string): string {
  return JSON.stringify(text);
}
