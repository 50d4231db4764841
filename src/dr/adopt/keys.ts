/** What Litestream 0.5 does with the keys of a config, and what of them goes into a manifest. Measured with 0.5.17 and read in its code. */

/** Keys that have no effect in 0.5 and none in the manifest, by where they stand; with what holds instead. */
export const IGNORED: Readonly<Record<Place, Readonly<Record<string, string>>>> = {
  global: {},
  database: { "max-checkpoint-page-count": "0.5 passes over it; it knows truncate-page-n instead" },
  replica: {
    "retention-check-interval":
      "0.5 passes over it, and looks by l0-retention-check-interval and snapshot.interval; alai sets both",
    "validation-interval": "0.5 reads it and does nothing with it; alai sets validation.interval, which counts, to 6h",
    name: "0.5 passes over it: it has one replica a database and needs no name for it",
  },
};

/** Keys of 0.3 that 0.5 passes over, and that the manifest has: what holds today, and where 0.5 reads it. */
export const REVIVED: Readonly<Record<string, { readonly today: string; readonly key: string }>> = {
  retention: { today: "snapshots are kept for 24 h", key: "retention" },
  "snapshot-interval": { today: "a snapshot is taken every 24 h", key: "snapshot-interval" },
};

const WITHOUT = "The manifest has no such key: what alai renders is without it";

/** Keys of a replica that 0.5 reads and the manifest does not have. */
export const NOT_TAKEN: Readonly<Record<string, string>> = {
  age: "0.5 does not encrypt, and refuses to start with it; alai does not encrypt replicas either",
  "auto-recover": "alai sets it to false: what a replica has lost is for the agent to send anew",
  ...Object.fromEntries(
    [
      ...["max-sync-ltx-files", "skip-verify", "sign-payload", "require-content-md5", "part-size", "concurrency"],
      ...["sse-customer-algorithm", "sse-customer-key-path", "sse-kms-key-id", "storage-class", "sign-accept-encoding"],
    ].map((key) => [key, WITHOUT]),
  ),
};

export type Place = "global" | "database" | "replica";

const BACKEND = [
  ...["type", "path", "url", "bucket", "region", "endpoint", "account-name", "account-key", "sas-token"],
  ...["access-key-id", "secret-access-key", "force-path-style", "skip-verify", "sign-payload", "require-content-md5"],
  ...["part-size", "concurrency", "host", "user", "password", "key-path", "concurrent-writes", "host-key"],
  ...[
    "sync-interval",
    "auto-recover",
    "max-sync-ltx-files",
    "sse-customer-key-path",
    "storage-class",
    "sign-accept-encoding",
    "jwt",
    "seed",
    "creds",
    "nkey",
    "username",
    "token",
  ],
  ...["tls", "root-cas", "client-cert", "client-key", "max-reconnects", "reconnect-wait", "timeout", "webdav-url"],
  ...["webdav-username", "webdav-password", "sse-customer-algorithm", "sse-customer-key", "sse-kms-key-id"],
];

/** Keys that 0.5 reads. Those of a replica may also stand at the top. */
export const KNOWN: Readonly<Record<Place, ReadonlySet<string>>> = {
  global: new Set([
    ...["addr", "mcp-addr", "exec", "socket", "levels", "snapshot", "l0-retention", "l0-retention-check-interval"],
    ...["retention", "validation", "verify-compaction", "heartbeat-url", "heartbeat-interval", "dbs", "logging"],
    ...["shutdown-sync-timeout", "shutdown-sync-interval", ...BACKEND.filter((key) => key !== "path" && key !== "url")],
  ]),
  database: new Set([
    ...["path", "dir", "pattern", "recursive", "watch", "snapshot", "meta-path", "meta-dir", "monitor-interval"],
    ...["checkpoint-interval", "busy-timeout", "min-checkpoint-page-count", "truncate-page-n", "max-sync-wal-bytes"],
    ...["restore-if-db-not-exists", "replica", "replicas"],
  ]),
  replica: new Set(BACKEND),
};

/** Their values are never shown or copied. */
export const SECRET: ReadonlySet<string> = new Set([
  ...["account-key", "sas-token", "access-key-id", "secret-access-key", "password", "token", "jwt", "seed", "nkey"],
  ...["webdav-password", "sse-customer-key"],
]);
