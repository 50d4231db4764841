import { DatabaseSync } from "node:sqlite";

/** A ledger as another program makes it: its own columns, words and habits. */
export function makeForeign(file: string, titles: readonly string[] = ["first", "second", "third"]): void {
  const db = new DatabaseSync(file);
  db.exec(`PRAGMA journal_mode = WAL;
    CREATE TABLE tasks (id INTEGER PRIMARY KEY, title TEXT NOT NULL, status TEXT, priority TEXT, owner TEXT,
      lease_holder TEXT, lease_until TEXT, created_at TEXT, sprint TEXT, blob_of_theirs BLOB);
    CREATE TABLE their_log (at TEXT, what TEXT);
    CREATE TRIGGER their_trigger AFTER INSERT ON tasks BEGIN INSERT INTO their_log VALUES ('then', NEW.title); END;`);
  const insert = db.prepare(
    "INSERT INTO tasks (title, status, priority, owner, sprint, blob_of_theirs, created_at) VALUES (?, ?, 'high', 'eve', '14', x'00ff', '2026-01-01 10:00:00')",
  );
  titles.forEach((title, at) => {
    insert.run(title, at === 1 ? "in_progress" : at === 2 ? "done" : "open");
  });
  db.close();
}
