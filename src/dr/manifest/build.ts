import type { Millis } from "@alai/core";
import { DEFAULT_PORT, pathOf, sizeClassOf, snapshotIntervalOf, syncIntervalOf } from "./defaults.ts";
import type {
  AlertChannel,
  DailySpec,
  Database,
  Host,
  Manifest,
  ModelEndpoint,
  ModelsSpec,
  ModelTier,
  Service,
  StorageSpec,
  Tier,
  WatchSpec,
} from "./model.ts";
import type { Written } from "./schema.ts";

const SECOND = 1000;

/** The manifest with every default filled in. @param written checked by the rules. @param hash of the file's bytes. */
export function buildManifest(written: Written, file: string, hash: string): Manifest {
  const tiers = written.tiers.map(tier);
  return {
    file,
    hash,
    hosts: written.hosts.map(host),
    storage: storage(written.storage),
    tiers,
    databases: written.databases.map((database) => databaseOf(database, tiers)),
    services: (written.services ?? []).map((service): Service => ({ ...service, health: service.health ?? null })),
    names: written.names ?? [],
    watch: watch(written.watch ?? {}),
    daily: daily(written.daily ?? {}),
    models: written.models ? models(written.models) : null,
    rag: written.rag ?? null,
    runbook: written.runbook ?? null,
  };
}

function host(raw: Written["hosts"][number]): Host {
  return { ...raw, os: raw.os ?? "darwin", port: raw.port ?? DEFAULT_PORT };
}

function storage(raw: Written["storage"]): StorageSpec {
  const prefix = raw.prefix ?? "";
  if (raw.type === "file") return { type: "file", path: raw.path, prefix };
  const endpoint = raw.endpoint?.replace(/\/+$/, "") ?? null;
  return { ...raw, endpoint, prefix };
}

function tier(raw: Written["tiers"][number], order: number): Tier {
  return {
    name: raw.name,
    order,
    retention: raw.retention,
    snapshotInterval: snapshotIntervalOf(raw, raw.retention),
    syncInterval: syncIntervalOf(raw),
    heartbeat: raw.heartbeat ?? null,
    rpo: raw.rpo,
    follow: raw.follow ?? true,
  };
}

function databaseOf(raw: Written["databases"][number], tiers: readonly Tier[]): Database {
  const own = tiers.find(({ name }) => name === raw.tier);
  if (!own) throw new Error(`no tier ${raw.tier}: the rules were not checked`);
  return {
    name: raw.name,
    path: pathOf(raw.name, raw.path),
    tier: own,
    syncInterval: raw["sync-interval"] ?? own.syncInterval,
    heartbeat: raw.heartbeat === undefined ? own.heartbeat : raw.heartbeat,
    follow: raw.follow ?? own.follow,
    owner: raw.owner ?? null,
    size: raw.size ?? null,
    sizeClass: raw["size-class"] ?? sizeClassOf(raw.size),
    optional: raw.optional ?? false,
  };
}

function watch(raw: NonNullable<Written["watch"]>): WatchSpec {
  const deadMan = raw["dead-man"];
  return {
    interval: raw.interval ?? 10 * SECOND,
    misses: raw.misses ?? 2,
    escalateAfter: raw["escalate-after"] ?? 300 * SECOND,
    deadMan: deadMan ? { url: deadMan.url, interval: deadMan.interval ?? 60 * SECOND } : null,
    channels: (raw.channels ?? []).map(channel),
  };
}

function channel(raw: NonNullable<NonNullable<Written["watch"]>["channels"]>[number]): AlertChannel {
  if (raw.kind === "slack-webhook") return raw;
  if (raw.kind === "webhook") return { ...raw, secret: raw.secret ?? null };
  const { "direct-to": directTo, ...rest } = raw;
  return { ...rest, directTo: directTo ?? null };
}

function daily({ prove = "03:00", drill = "04:00" }: NonNullable<Written["daily"]>): DailySpec {
  return { prove: timeOfDay(prove), drill: timeOfDay(drill) };
}

/** `03:30` in ms after midnight; null: `off`. */
function timeOfDay(text: string): Millis | null {
  if (text === "off") return null;
  const [hours, minutes] = text.split(":").map(Number);
  return ((hours ?? 0) * 60 + (minutes ?? 0)) * 60 * SECOND;
}

type WrittenModels = NonNullable<Written["models"]>;

function models(raw: WrittenModels): ModelsSpec {
  return {
    interval: raw.interval ?? 15 * SECOND,
    timeout: raw.timeout ?? 3 * SECOND,
    endpoints: raw.endpoints.map(endpoint),
    tiers: (raw.tiers ?? []).map(modelTier),
  };
}

function endpoint(raw: WrittenModels["endpoints"][number]): ModelEndpoint {
  return {
    name: raw.name,
    host: raw.host ?? null,
    url: raw.url.replace(/\/+$/, ""),
    kind: raw.kind ?? "ollama",
    models: raw.models ?? [],
    secret: raw.secret ?? null,
  };
}

function modelTier(raw: NonNullable<WrittenModels["tiers"]>[number]): ModelTier {
  return {
    ...raw,
    fallbacks: (raw.fallbacks ?? []).map(({ "only-unreachable": onlyUnreachable, ...rest }) => ({
      ...rest,
      onlyUnreachable: onlyUnreachable ?? false,
    })),
  };
}
