import { type Column, type ColumnMap, quote } from "./columns.ts";

/** How each column is declared where the file does not have it. Constant defaults: `ALTER TABLE … ADD COLUMN` takes no other. */
export const COLUMN_TYPES: Readonly<Record<Exclude<Column, "id">, string>> = {
  title: "TEXT NOT NULL",
  description: "TEXT",
  status: "TEXT NOT NULL DEFAULT 'open'",
  priority: "INTEGER DEFAULT 2",
  project: "TEXT",
  owner: "TEXT",
  tags: "TEXT",
  parent: "INTEGER",
  due: "TEXT",
  deferred_until: "TEXT",
  dedup_key: "TEXT",
  version: "INTEGER NOT NULL DEFAULT 1",
  created_at: "TEXT",
  updated_at: "TEXT",
  done_at: "TEXT",
  lease_holder: "TEXT",
  lease_until: "TEXT",
  lease_ttl: "INTEGER",
  lease_fence: "INTEGER NOT NULL DEFAULT 0",
  attempts: "INTEGER NOT NULL DEFAULT 0",
};

/** The tasks table of a file of our own. AUTOINCREMENT: an id that was used is never used again. */
export function createTasksSql(): string {
  const columns = Object.entries(COLUMN_TYPES).map(([name, type]) => `  ${name} ${type}`);
  return `CREATE TABLE tasks (\n  id INTEGER PRIMARY KEY AUTOINCREMENT,\n${columns.join(",\n")}\n)`;
}

/** Tables and indexes beside `tasks`. All named `alai_…`, so that an adopted file's own are never in the way. */
export function createBesideSql(map: ColumnMap): string[] {
  const name = (column: Column) => quote(map.names[column]);
  return [
    "CREATE TABLE alai_meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    `CREATE TABLE alai_events (
  seq INTEGER PRIMARY KEY,
  task_id INTEGER,
  kind TEXT NOT NULL,
  at TEXT NOT NULL,
  actor TEXT NOT NULL,
  session TEXT NOT NULL,
  fence INTEGER,
  data TEXT
)`,
    "CREATE INDEX alai_events_task ON alai_events (task_id, seq)",
    "CREATE TABLE alai_deps (task_id INTEGER NOT NULL, blocker_id INTEGER NOT NULL, PRIMARY KEY (task_id, blocker_id)) WITHOUT ROWID",
    "CREATE INDEX alai_deps_blocker ON alai_deps (blocker_id)",
    "CREATE TABLE alai_evidence (id INTEGER PRIMARY KEY, task_id INTEGER NOT NULL, path TEXT NOT NULL, sha256 TEXT NOT NULL, size INTEGER NOT NULL)",
    "CREATE INDEX alai_evidence_task ON alai_evidence (task_id)",
    `CREATE INDEX alai_tasks_status ON tasks (${name("status")} COLLATE NOCASE)`,
    `CREATE INDEX alai_tasks_held ON tasks (${name("lease_holder")}) WHERE ${name("lease_holder")} IS NOT NULL`,
    `CREATE UNIQUE INDEX alai_tasks_dedup ON tasks (${name("dedup_key")}) WHERE ${name("dedup_key")} IS NOT NULL`,
    `CREATE INDEX alai_tasks_parent ON tasks (${name("parent")}) WHERE ${name("parent")} IS NOT NULL`,
  ];
}

/**
 * What version 2 adds: answers kept for retries. `at` stands before the answer, so that looking for old ones does not read
 * them; `id` rises with time, so that the oldest are found without an index.
 */
export const REQUESTS_SQL: readonly string[] = [
  `CREATE TABLE alai_requests (
  id INTEGER PRIMARY KEY,
  subject TEXT NOT NULL,
  key TEXT NOT NULL,
  at TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  answer TEXT NOT NULL
)`,
  "CREATE UNIQUE INDEX alai_requests_key ON alai_requests (subject, key)",
];
