import pg from "pg";
import { PostgresLedger } from "../../../server/src/postgres/index.ts";

/** A ledger in Postgres with something of everything, for drills and backups. */

async function inDatabase(url: string, ...statements: readonly string[]): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

/** The schema as the server makes it, and 300 tasks with leases, dependencies, evidence, kept answers, tokens and audit. */
export async function fillLedger(url: string): Promise<void> {
  const ledger = await PostgresLedger.open(url);
  await ledger.close();
  await inDatabase(url, ...ROWS);
}

/** An hour ago, so that nothing is too new to be compared. */
const ROWS = [
  `INSERT INTO alai.tasks (id, title, status, priority, tags, created_at, updated_at, extra)
   SELECT n, 'Task ' || n, 'open', n % 4, ARRAY['a', 'b'], now() - interval '1 hour', now() - interval '1 hour', '{"z": 1, "a": 2}'
   FROM generate_series(1, 300) n`,
  `SELECT alai.append(json_agg(json_build_object('task', n, 'kind', 'added', 'actor', 'ann', 'session', 's1')), now() - interval '1 hour')
   FROM generate_series(1, 300) n`,
  "UPDATE alai.head SET task = 300",
  "INSERT INTO alai.dependencies (task, blocker) SELECT n, n - 1 FROM generate_series(101, 150) n",
  `INSERT INTO alai.evidence (task, path, sha256, size) SELECT n, 'out/' || n || '.txt', md5(n::text), n FROM generate_series(1, 40) n`,
  `INSERT INTO alai.requests (subject, key, at, fingerprint, answer)
   SELECT 'user|ann', 'key-' || n, now() - interval '2 hours', md5(n::text), '{}' FROM generate_series(1, 20) n`,
  `INSERT INTO alai.tokens (name, hash, scopes, actor, may_act_for_others, created_at)
   VALUES ('ci', repeat('a', 64), '{tasks.read}', 'ci', false, now() - interval '2 hours')`,
  `INSERT INTO alai.audit (seq, at, action, outcome, detail, hash)
   SELECT n, now() - interval '1 hour', 'token.create', 'done', '{}', md5(n::text) FROM generate_series(1, 5) n`,
  "UPDATE alai.audit_head SET seq = 5, hash = md5('5')",
  "UPDATE alai.tasks SET lease_holder = 'ann:s1', lease_until = now() + interval '1 hour', lease_ttl = 3600000, lease_fence = 1 WHERE id = 7",
];

/** What happens in the live database after the backup: every change that the journal tells, and those it does not. */
export async function liveOn(url: string): Promise<void> {
  await inDatabase(
    url,
    "UPDATE alai.tasks SET title = 'Task 3, edited', version = 2 WHERE id = 3",
    "INSERT INTO alai.tasks (id, title, created_at, updated_at) VALUES (301, 'Newer', now(), now())",
    "DELETE FROM alai.dependencies WHERE task = 120",
    `SELECT alai.append('[{"task": 3, "kind": "edited", "actor": "ann", "session": "s1"},
      {"task": 301, "kind": "added", "actor": "ann", "session": "s1"},
      {"task": 120, "kind": "dep_removed", "actor": "ann", "session": "s1"}]', now())`,
    "UPDATE alai.head SET task = 301",
    // A lease renewed too soon after the last line about it; a token used; an old answer forgotten and a new one kept.
    "UPDATE alai.tasks SET lease_until = lease_until + interval '10 minutes', lease_ttl = 600000 WHERE id = 7",
    "UPDATE alai.tokens SET last_used = now()",
    "DELETE FROM alai.requests WHERE key = 'key-1'",
    "INSERT INTO alai.requests (subject, key, at, fingerprint, answer) VALUES ('user|ann', 'key-new', now(), 'f', '{}')",
    "INSERT INTO alai.audit (seq, at, action, outcome, detail, hash) VALUES (6, now(), 'token.revoke', 'done', '{}', 'h')",
    "UPDATE alai.audit_head SET seq = 6, hash = 'h'",
  );
}
