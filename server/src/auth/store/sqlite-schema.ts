/** Tables of the security store in the ledger's file. All named `alai_…`; each statement may run again. */
export const SQLITE_SCHEMA: readonly string[] = [
  `CREATE TABLE IF NOT EXISTS alai_tokens (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  hash TEXT NOT NULL UNIQUE,
  scopes TEXT NOT NULL,
  actor TEXT NOT NULL,
  may_act_for_others INTEGER NOT NULL,
  created_at TEXT NOT NULL,
  expires_at TEXT,
  revoked_at TEXT,
  last_used TEXT
)`,
  "CREATE UNIQUE INDEX IF NOT EXISTS alai_tokens_name ON alai_tokens (name) WHERE revoked_at IS NULL",
  `CREATE TABLE IF NOT EXISTS alai_audit (
  seq INTEGER PRIMARY KEY,
  at TEXT NOT NULL,
  subject TEXT,
  action TEXT NOT NULL,
  target TEXT,
  outcome TEXT NOT NULL,
  address TEXT,
  request_id TEXT,
  detail TEXT NOT NULL,
  hash TEXT NOT NULL
)`,
  "CREATE TABLE IF NOT EXISTS alai_audit_head (id INTEGER PRIMARY KEY CHECK (id = 1), seq INTEGER NOT NULL, hash TEXT NOT NULL)",
  refusing("alai_audit", "UPDATE"),
  refusing("alai_audit", "DELETE"),
  // INSERT OR REPLACE takes a row away without asking the trigger on DELETE.
  refusing("alai_audit", "INSERT", "WHEN EXISTS (SELECT 1 FROM alai_audit WHERE seq = NEW.seq)"),
  refusing("alai_audit_head", "DELETE"),
  refusing("alai_audit_head", "UPDATE", "WHEN NEW.seq <= OLD.seq"),
  refusing("alai_audit_head", "INSERT", "WHEN EXISTS (SELECT 1 FROM alai_audit_head)"),
];

/** Against mistakes, not against who owns the file: that one is found by `alai audit verify`. */
function refusing(table: string, verb: string, when = ""): string {
  return `CREATE TRIGGER IF NOT EXISTS ${table}_no_${verb.toLowerCase()} BEFORE ${verb} ON ${table} ${when} BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END`;
}
