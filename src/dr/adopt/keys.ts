/** What Litestream 0.5 does with the keys of a config, and what of them goes into a manifest. Measured with 0.5.17 and read in its code. */

/** Keys that 0.5 passes over without a word, by where they stand; with what holds instead. */
export const IGNORED: Readonly<Record<Place, Readonly<Record<string, string>>>> = {
  global: {},
  database: { "max-checkpoint-page-count": "0.5 knows truncate-page-n instead" },
  replica: {
    retention: "0.5 keeps snapshots for 24 h, whatever stands here",
    "retention-check-interval": "0.5 looks by l0-retention-check-interval and snapshot.interval",
    "snapshot-interval": "0.5 takes a snapshot every 24 h unless the global snapshot.interval says otherwise",
    name: "0.5 has one replica a database and needs no name for it",
  },
};

export type Place = "global" | "database" | "replica";

const BACKEND = [
  ...["type", "path", "url", "bucket", "region", "endpoint", "account-name", "account-key", "sas-token"],
  ...["access-key-id", "secret-access-key", "force-path-style", "skip-verify", "sign-payload", "require-content-md5"],
  ...["part-size", "concurrency", "host", "user", "password", "key-path", "concurrent-writes", "host-key", "age"],
  ...[
    "sync-interval",
    "auto-recover",
    "max-sync-ltx-files",
    "validation-interval",
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
