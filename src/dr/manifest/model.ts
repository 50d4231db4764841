import type { Millis } from "@alai/core";

/** What `dr.manifest.yaml` says, read, checked and with every default filled in. All paths are absolute, all times in ms. */
export interface Manifest {
  /** Where it was read from, for messages. */
  readonly file: string;
  /** SHA-256 of the file's bytes, hex: rendered files carry it. */
  readonly hash: string;
  readonly hosts: readonly Host[];
  readonly storage: StorageSpec;
  readonly tiers: readonly Tier[];
  readonly databases: readonly Database[];
  /** In start order; stopped in the reverse. */
  readonly services: readonly Service[];
  /** Names that clients use, switched at a failover. */
  readonly names: readonly SwitchedName[];
  readonly watch: WatchSpec;
  readonly daily: DailySpec;
  readonly models: ModelsSpec | null;
  readonly rag: RagSpec | null;
  readonly runbook: RunbookSpec | null;
}

export interface Host {
  readonly name: string;
  readonly role: "primary" | "standby";
  readonly user: string;
  /** Decides between launchd and systemd. */
  readonly os: "darwin" | "linux";
  /** The folder that holds the databases: written on a primary, the copies for readers on a standby. */
  readonly databases: string;
  /** The agent's own folder: state, logs, working copies, rendered configs. */
  readonly state: string;
  /** In order of preference: host names or IP addresses. */
  readonly addresses: readonly string[];
  /** TCP port of the agent's HTTP. */
  readonly port: number;
}

export type StorageSpec =
  | {
      readonly type: "azure";
      readonly account: string;
      readonly container: string;
      /** Absent: https://<account>.blob.core.windows.net */
      readonly endpoint: string | null;
      /** In front of every key, without slashes at its ends; may be empty. */
      readonly prefix: string;
    }
  | {
      readonly type: "s3";
      readonly bucket: string;
      readonly region: string;
      readonly endpoint: string | null;
      readonly prefix: string;
    }
  | { readonly type: "file"; readonly path: string; readonly prefix: string };

export interface Tier {
  readonly name: string;
  /** 0 is restored and promoted first. */
  readonly order: number;
  /** How long snapshots are kept: one Litestream process for each value. */
  readonly retention: Millis;
  readonly snapshotInterval: Millis;
  readonly syncInterval: Millis;
  /** Null: no heartbeat row. */
  readonly heartbeat: Millis | null;
  /** Data lost at most, by the company's rule. */
  readonly rpo: Millis;
  /** Whether the standby keeps a copy current. */
  readonly follow: boolean;
}

export interface Database {
  /** Unique; also the last part of its replica's path. */
  readonly name: string;
  /** Below the host's `databases` folder. */
  readonly path: string;
  readonly tier: Tier;
  readonly syncInterval: Millis;
  readonly heartbeat: Millis | null;
  readonly follow: boolean;
  /** Of `services`. */
  readonly owner: string | null;
  /** Bytes as planned; null where unknown. */
  readonly size: number | null;
  readonly sizeClass: "empty" | "small" | "medium" | "large" | "unknown";
  /** May be missing on disk. */
  readonly optional: boolean;
}

export interface Service {
  readonly name: string;
  readonly start: string;
  readonly stop: string;
  /** A command that exits 0 when the service answers. */
  readonly health: string | null;
}

export interface SwitchedName {
  readonly name: string;
  readonly kind: "tailscale-service" | "dns" | "file";
  readonly target: string;
}

export interface WatchSpec {
  /** Between two probes of one host. */
  readonly interval: Millis;
  /** Misses in a row before the channel is told. */
  readonly misses: number;
  /** Down this long: a direct message. */
  readonly escalateAfter: Millis;
  /** Pinged as long as the watcher lives. */
  readonly deadMan: { readonly url: string; readonly interval: Millis } | null;
  readonly channels: readonly AlertChannel[];
}

/** When the daily runs begin, in ms after midnight UTC; null: never. */
export interface DailySpec {
  readonly prove: Millis | null;
  readonly drill: Millis | null;
}

/** Where alerts go. `secret` names an environment variable or a `bw://` reference; never the secret itself. */
export type AlertChannel =
  | { readonly kind: "slack-webhook"; readonly name: string; readonly secret: string }
  | {
      readonly kind: "slack-api";
      readonly name: string;
      readonly secret: string;
      readonly channel: string;
      /** Slack's id of who gets the direct message. */
      readonly directTo: string | null;
    }
  | { readonly kind: "webhook"; readonly name: string; readonly url: string; readonly secret: string | null };

export interface ModelEndpoint {
  readonly name: string;
  readonly host: string | null;
  readonly url: string;
  readonly kind: "ollama" | "openai" | "anthropic";
  readonly models: readonly string[];
  /** Environment variable or `bw://` reference of its key; null: it needs none, or only those who ask in earnest have one. */
  readonly secret: string | null;
}

export interface ModelTier {
  readonly name: string;
  readonly endpoint: string;
  readonly model: string;
  /** Tried in this order when the one before is down. */
  readonly fallbacks: readonly {
    readonly endpoint: string;
    readonly model: string;
    readonly onlyUnreachable: boolean;
  }[];
}

export interface ModelsSpec {
  readonly interval: Millis;
  readonly timeout: Millis;
  readonly endpoints: readonly ModelEndpoint[];
  readonly tiers: readonly ModelTier[];
}

/** What LightRAG's live configuration must say. */
export interface RagSpec {
  readonly url: string;
  readonly expect: Readonly<Record<string, string | number | boolean>>;
}

export interface RunbookSpec {
  /** BookStack's address. */
  readonly url: string;
  readonly book: string;
  /** Environment variable or `bw://` reference of `TOKEN_ID:TOKEN_SECRET`. */
  readonly secret: string;
}
