import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";

/** Ledgers as another program makes them, and what a test compares before and after. */

export const COLUMNS = `id INTEGER PRIMARY KEY, title TEXT, status TEXT, lease_holder TEXT, lease_until TEXT,
  priority TEXT, owner TEXT, project TEXT, created_at TEXT, dod_evidence TEXT`;

/** A file with `schema` run in it. */
export function makeFile(file: string, schema: string, journal: "WAL" | "DELETE" = "WAL"): void {
  const db = new DatabaseSync(file);
  db.exec(`PRAGMA journal_mode = ${journal}`);
  db.exec(schema);
  db.close();
}

/** A file with a tasks table of these columns and rows, each a list of SQL values. */
export function makeTasks(file: string, columns: string, rows: readonly string[], after = ""): void {
  const values = rows.map((row) => `(${row})`).join(", ");
  const insert = rows.length > 0 ? `INSERT INTO tasks VALUES ${values};` : "";
  makeFile(file, `CREATE TABLE tasks (${columns})${after}; ${insert}`);
}

export const TASKS = 8378;
export const OPEN = 127;

/** The company's ledger: 8,378 tasks of which 127 are open, with all that years of other programs leave in a file. */
export function makeCompanyLedger(file: string): void {
  const db = new DatabaseSync(file);
  db.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA application_id = 77001;
    PRAGMA user_version = 42;
    CREATE TABLE tasks (${COLUMNS}, shape BLOB, score REAL, big INTEGER, anything);
    CREATE INDEX tasks_by_status ON tasks (status, priority);
    CREATE INDEX "odd ""name""" ON tasks (lower(title)) WHERE owner IS NOT NULL;
    CREATE TABLE events (id INTEGER PRIMARY KEY, what TEXT);
    CREATE TABLE deps (a, b);
    CREATE TABLE log (task_id INTEGER, was TEXT, became TEXT);
    CREATE TRIGGER tasks_log AFTER UPDATE OF status ON tasks BEGIN
      INSERT INTO log VALUES (new.id, old.status, new.status);
    END;
    CREATE VIEW open_tasks AS SELECT id, title FROM tasks WHERE status = 'open';
    CREATE VIEW stale AS SELECT gone FROM a_table_that_was_dropped;
    INSERT INTO events VALUES (1, 'theirs');
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${TASKS})
    INSERT INTO tasks SELECT i, CASE WHEN i % 1000 = 0 THEN NULL ELSE 'Task ' || i || ' – ünï' END,
      CASE WHEN i <= ${OPEN} THEN 'open' WHEN i % 3 = 0 THEN 'cancelled' ELSE 'done' END,
      CASE WHEN i <= 3 THEN 'john:abc' WHEN i = 4 THEN '' END,
      CASE i WHEN 1 THEN '2026-05-08 12:30:00' WHEN 2 THEN '2026-05-08T13:30:00Z' WHEN 3 THEN '2026-05-08T11:00:00+00:00' END,
      CASE i % 6 WHEN 0 THEN 'high' WHEN 1 THEN 'medium' WHEN 2 THEN 'low' WHEN 3 THEN 'URGENT-ish' WHEN 4 THEN '' END,
      CASE WHEN i % 2 = 0 THEN 'owner' || (i % 7) END, 'project-' || (i % 11),
      strftime('%Y-%m-%d %H:%M:%S', 1700000000 + i * 60, 'unixepoch'), CASE WHEN i % 5 = 0 THEN '["a.png"]' END,
      CASE WHEN i % 4 = 0 THEN randomblob(i % 40) END, i * 1.1, 9223372036854775807 - i,
      CASE i % 4 WHEN 0 THEN i WHEN 1 THEN 'text' WHEN 2 THEN i / 3.0 ELSE x'00ff' END
    FROM n;`);
  db.close();
}

/** Everything of theirs: each value of each row with its type and bytes, the schema's SQL, the header's fields. */
export function dump(file: string, columns: readonly string[], extraTables: readonly string[] = []) {
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    const list = columns.map((name) => `typeof("${name}") || ':' || hex("${name}")`).join(" || '|' || ");
    const pragma = (name: string) => Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0];
    return {
      rows: db.prepare(`SELECT ${list} AS row FROM tasks ORDER BY id`).all(),
      others: extraTables.map((table) => db.prepare(`SELECT * FROM "${table}"`).all()),
      schema: db
        .prepare(
          "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name <> 'tasks' AND name NOT LIKE 'alai_%' ORDER BY name",
        )
        .all(),
      user_version: pragma("user_version"),
      application_id: pragma("application_id"),
      journal_mode: pragma("journal_mode"),
      encoding: pragma("encoding"),
    };
  } finally {
    db.close();
  }
}

/** Names of the columns of `tasks`. */
export function columnsOf(file: string): string[] {
  const db = new DatabaseSync(file, { readOnly: true });
  const rows = db.prepare("SELECT name FROM pragma_table_info('tasks')").all();
  db.close();
  return rows.map((row) => String(row.name));
}

export function sha256(file: string): string {
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}
