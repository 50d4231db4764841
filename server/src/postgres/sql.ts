// Made from server/sql by packaging/sql.ts: change it there, then `npm run sql`.
import type { Migration } from "./migrate.ts";

export const SQL = {
  addDependencies: { name: "alai-add-dependencies", text: `INSERT INTO alai.dependencies (task, blocker)
SELECT d.task, d.blocker FROM unnest($1::bigint[], $2::bigint[]) AS d (task, blocker)
ON CONFLICT DO NOTHING` },
  addEvidence: { name: "alai-add-evidence", text: `INSERT INTO alai.evidence (task, path, sha256, size)
SELECT e.task, e.path, e.sha256, e.size
FROM ROWS FROM (json_to_recordset($1) AS (task bigint, path text, sha256 text, size bigint)) WITH ORDINALITY
  AS e (task, path, sha256, size, n)
ORDER BY e.n` },
  addTasks: { name: "alai-add-tasks", text: `INSERT INTO alai.tasks (id, title, description, status, priority, project, owner, tags, parent, due, deferred_until,
  dedup_key, created_at, updated_at, done_at)
SELECT a.id, a.title, a.description, a.status, a.priority, a.project, a.owner, a.tags, a.parent,
  alai.from_millis(a.due), alai.from_millis(a.deferred_until), a.dedup_key,
  alai.from_millis(a.created_at), alai.from_millis(a.updated_at), alai.from_millis(a.done_at)
FROM json_to_recordset($1) AS a (id bigint, title text, description text, status text, priority smallint, project text,
  owner text, tags text[], parent bigint, due bigint, deferred_until bigint, dedup_key text, created_at bigint,
  updated_at bigint, done_at bigint)` },
  ancestors: { name: "alai-ancestors", text: `WITH RECURSIVE line (id, parent) AS (
  SELECT t.id, t.parent FROM alai.tasks t WHERE t.id = $1
  UNION
  SELECT t.id, t.parent FROM alai.tasks t JOIN line l ON t.id = l.parent
)
SELECT l.id, l.parent FROM line l` },
  append: { name: "alai-append", text: `SELECT a.last, a.at FROM alai.append($1, alai.from_millis($2)) a` },
  byDedupKey: { name: "alai-by-dedup-key", text: `SELECT r.* FROM alai.task_rows r WHERE r.dedup_key = ANY ($1::text[])` },
  changeLeases: { name: "alai-change-leases", text: `SELECT alai.change_leases($1, $2, $3) AS answer` },
  claimNext: { name: "alai-claim-next", text: `SELECT alai.claim_next($1, $2, $3, $4) AS answer` },
  clearLeases: { name: "alai-clear-leases", text: `UPDATE alai.tasks SET lease_holder = NULL, lease_until = NULL, lease_ttl = NULL WHERE id = ANY ($1::bigint[])` },
  countStatuses: { name: "alai-count-statuses", text: `SELECT t.status, count(*) AS n FROM alai.tasks t GROUP BY t.status ORDER BY 2 DESC, 1` },
  dropRequests: { name: "alai-drop-requests", text: `DELETE FROM alai.requests r USING (
  SELECT o.subject, o.key FROM alai.requests o WHERE o.at <= alai.moment() - make_interval(secs => $1 / 1000.0)
  ORDER BY o.at LIMIT 5000 FOR UPDATE SKIP LOCKED
) old
WHERE r.subject = old.subject AND r.key = old.key` },
  event: { name: "alai-event", text: `SELECT e.seq, e.task, e.kind, e.at, e.actor, e.session, e.fence, e.data FROM alai.events e WHERE e.seq = $1` },
  eventsOfTask: { name: "alai-events-of-task", text: `SELECT e.seq, e.task, e.kind, e.at, e.actor, e.session, e.fence, e.data FROM alai.events e
WHERE e.task = $3 AND e.seq > $1 ORDER BY e.seq LIMIT $2` },
  events: { name: "alai-events", text: `SELECT e.seq, e.task, e.kind, e.at, e.actor, e.session, e.fence, e.data FROM alai.events e
WHERE e.seq > $1 ORDER BY e.seq LIMIT $2` },
  existing: { name: "alai-existing", text: `SELECT t.id FROM alai.tasks t WHERE t.id = ANY ($1::bigint[])` },
  findRequest: { name: "alai-find-request", text: `SELECT r.fingerprint, r.at, r.answer FROM alai.requests r WHERE r.subject = $1 AND r.key = $2` },
  head: { name: "alai-head", text: `SELECT h.ledger, h.seq, h.at, h.task, h.pruned, h.restoring, alai.read_moment() AS now FROM alai.head h` },
  history: { name: "alai-history", text: `SELECT e.seq, e.task, e.kind, e.at, e.actor, e.session, e.fence, e.data FROM alai.events e
WHERE e.task = ANY ($1::bigint[]) ORDER BY e.seq` },
  importedBefore: { name: "alai-imported-before", text: `SELECT e.task, e.data -> 'from' AS source FROM alai.events e
WHERE e.kind = 'imported' AND (e.data #>> '{from,id}')::bigint = ANY ($1::bigint[])
ORDER BY e.seq` },
  keepAnswer: { name: "alai-keep-answer", text: `INSERT INTO alai.requests (subject, key, at, fingerprint, answer) VALUES ($1, $2, alai.moment(), $3, $4)
ON CONFLICT (subject, key) DO UPDATE SET at = excluded.at, fingerprint = excluded.fingerprint, answer = excluded.answer` },
  lastEventsOfTask: { name: "alai-last-events-of-task", text: `SELECT e.seq, e.task, e.kind, e.at, e.actor, e.session, e.fence, e.data FROM alai.events e
WHERE e.task = $3 AND e.seq > $1 ORDER BY e.seq DESC LIMIT $2` },
  lastEvents: { name: "alai-last-events", text: `SELECT e.seq, e.task, e.kind, e.at, e.actor, e.session, e.fence, e.data FROM alai.events e
WHERE e.seq > $1 ORDER BY e.seq DESC LIMIT $2` },
  leaseStatus: { name: "alai-lease-status", text: `SELECT alai.read_moment() AS now, t.id, t.title, t.status, t.status_raw, t.lease_holder, t.lease_until, t.lease_ttl, t.lease_fence
FROM alai.tasks t WHERE t.id = ANY ($1::bigint[])` },
  links: { name: "alai-links", text: `SELECT d.blocker AS id, d.task AS other, true AS waits FROM alai.dependencies d WHERE d.blocker = ANY ($1::bigint[])
UNION ALL
SELECT t.parent, t.id, false FROM alai.tasks t WHERE t.parent = ANY ($1::bigint[])
ORDER BY 2` },
  lockExpired: { name: "alai-lock-expired", text: `SELECT t.id FROM alai.tasks t
WHERE t.lease_holder IS NOT NULL AND t.lease_until <= alai.moment()
ORDER BY t.id
FOR NO KEY UPDATE` },
  lockGraph: { name: "alai-lock-graph", text: `SELECT alai.lock_graph()` },
  lockHead: { name: "alai-lock-head", text: `SELECT h.seq, h.at, h.task, h.ledger, h.pruned, h.restoring FROM alai.head h FOR NO KEY UPDATE` },
  lockMigrations: { name: "alai-lock-migrations", text: `SELECT pg_advisory_xact_lock(hashtextextended('alai.migrations', 0))` },
  lockRequest: { name: "alai-lock-request", text: `SELECT alai.lock_request($1, $2) AS free` },
  lockTasks: { name: "alai-lock-tasks", text: `SELECT FROM alai.tasks t WHERE t.id = ANY ($1::bigint[]) ORDER BY t.id FOR NO KEY UPDATE` },
  migrationsTable: { name: "alai-migrations-table", text: `CREATE TABLE IF NOT EXISTS alai.migrations (
  version int PRIMARY KEY,
  name text NOT NULL,
  checksum text NOT NULL,
  breaking boolean NOT NULL,
  at timestamptz(3) NOT NULL DEFAULT clock_timestamp()
)` },
  moment: { name: "alai-moment", text: `SELECT alai.moment() AS now` },
  newestDone: { name: "alai-newest-done", text: `SELECT t.created_at, t.done_at FROM alai.tasks t
WHERE t.status = 'done' AND t.done_at IS NOT NULL AND t.created_at IS NOT NULL ORDER BY t.done_at DESC LIMIT $1` },
  newestUndoable: { name: "alai-newest-undoable", text: `SELECT e.seq, e.task, e.kind, e.at, e.actor, e.session, e.fence, e.data FROM alai.events e
WHERE e.actor = $1 AND e.session = $2
  AND e.kind IN ('added', 'edited', 'done', 'ready', 'paused', 'reopened', 'cancelled', 'dep_added', 'dep_removed')
  AND NOT EXISTS (
    SELECT FROM alai.events u WHERE u.task = e.task AND u.kind = 'undone' AND (u.data ->> 'undoes')::bigint = e.seq
  )
ORDER BY e.seq DESC LIMIT 1` },
  notify: { name: "alai-notify", text: `SELECT pg_notify($1, $2)` },
  pruneEvents: { name: "alai-prune-events", text: `WITH gone AS (
  DELETE FROM alai.events e
  WHERE e.at < alai.from_millis($1) AND e.seq < (SELECT h.seq FROM alai.head h)
    AND e.kind NOT IN ('imported', 'adopted', 'undone')
    AND NOT (e.kind = 'approved' AND (e.data ->> 'until')::bigint > $2)
    AND NOT EXISTS (
      SELECT FROM (
        SELECT max(n.seq) AS seq FROM alai.events n WHERE n.kind IN ('acquired', 'taken_over')
        GROUP BY n.task, n.actor, n.session
        UNION ALL
        SELECT max(n.seq) FROM alai.events n WHERE n.kind IN ('released', 'done', 'ready', 'paused', 'cancelled')
        GROUP BY n.task, n.actor, n.session
      ) kept
      WHERE kept.seq = e.seq
    )
  RETURNING e.seq
)
SELECT count(*) AS dropped, coalesce(max(seq), 0) AS through FROM gone` },
  pruneUndone: { name: "alai-prune-undone", text: `WITH gone AS (
  DELETE FROM alai.events e
  WHERE e.at < alai.from_millis($1) AND e.seq < (SELECT h.seq FROM alai.head h) AND e.kind = 'undone'
    AND NOT EXISTS (SELECT FROM alai.events o WHERE o.seq = (e.data ->> 'undoes')::bigint)
  RETURNING e.seq
)
SELECT count(*) AS dropped, coalesce(max(seq), 0) AS through FROM gone` },
  reachable: { name: "alai-reachable", text: `WITH RECURSIVE chain (id) AS (
  SELECT unnest($1::bigint[])
  UNION
  SELECT d.blocker FROM alai.dependencies d JOIN chain c ON d.task = c.id
)
SELECT d.task, d.blocker FROM alai.dependencies d JOIN chain c ON d.task = c.id` },
  readLocked: { name: "alai-read-locked", text: `SELECT r.*, told.at AS told, mine.fence AS my_fence, mine.ended AS my_end
FROM alai.task_rows r
LEFT JOIN LATERAL (
  SELECT e.at FROM alai.events e
  WHERE e.task = r.id AND r.lease_holder = $2 || ':' || $3 AND e.kind IN ('acquired', 'taken_over', 'renewed')
  ORDER BY e.seq DESC LIMIT 1
) told ON true
LEFT JOIN LATERAL (
  SELECT g.fence, EXISTS (
      SELECT FROM alai.events e
      WHERE e.task = g.task AND e.actor = g.actor AND e.session = g.session AND e.seq > g.seq
        AND e.kind IN ('released', 'done', 'ready', 'paused', 'cancelled')
    ) AS ended
  FROM alai.events g
  WHERE g.task = r.id AND g.actor = $2 AND g.session = $3 AND g.kind IN ('acquired', 'taken_over')
  ORDER BY g.seq DESC LIMIT 1
) mine ON true
WHERE r.id = ANY ($1::bigint[])` },
  readMigrations: { name: "alai-read-migrations", text: `SELECT version, name, checksum, breaking FROM alai.migrations ORDER BY version` },
  recordMigration: { name: "alai-record-migration", text: `INSERT INTO alai.migrations (version, name, checksum, breaking) VALUES ($1, $2, $3, $4)` },
  removeDependencies: { name: "alai-remove-dependencies", text: `DELETE FROM alai.dependencies d USING unnest($1::bigint[], $2::bigint[]) AS u (task, blocker)
WHERE d.task = u.task AND d.blocker = u.blocker` },
  saveTask: { name: "alai-save-task", text: `UPDATE alai.tasks SET
  title = $2, description = $3, status = $4, status_raw = $5, priority = $6, priority_raw = $7, project = $8, owner = $9,
  tags = $10, parent = $11, due = alai.from_millis($12), deferred_until = alai.from_millis($13), version = $14,
  updated_at = alai.from_millis($15), done_at = alai.from_millis($16),
  lease_holder = $17, lease_until = alai.from_millis($18), lease_ttl = $19
WHERE id = $1` },
  session: { name: "alai-session", text: `SELECT
  set_config('TimeZone', 'UTC', false),
  set_config('DateStyle', 'ISO', false),
  set_config('jit', 'off', false),
  set_config('statement_timeout', $1, false),
  set_config('lock_timeout', $2, false),
  set_config('idle_in_transaction_session_timeout', $3, false)` },
  setPruned: { name: "alai-set-pruned", text: `UPDATE alai.head SET pruned = $1 WHERE pruned < $1` },
  takeNumbers: { name: "alai-take-numbers", text: `UPDATE alai.head SET task = $1` },
  tasks: { name: "alai-tasks", text: `SELECT r.* FROM alai.task_rows r WHERE r.id = ANY ($1::bigint[])` },
  undoneBy: { name: "alai-undone-by", text: `SELECT u.seq FROM alai.events u
WHERE u.task IS NOT DISTINCT FROM $1 AND u.kind = 'undone' AND (u.data ->> 'undoes')::bigint = $2` },
} as const;

export const MIGRATIONS: readonly Migration[] = [
  { version: 1, name: "0001_ledger", checksum: "10b7c42b5353d17d24403eb72fba6e05a728d09468056c0080f7f929ca6555ff", breaking: false, text: `-- The ledger: tasks, what they wait for, their evidence, the journal with its head, and answers kept for retries.
-- Text is compared byte by byte (COLLATE "C"), as SQLite compares it; times are UTC to the millisecond.

CREATE TABLE alai.tasks (
  id bigint PRIMARY KEY,
  title text COLLATE "C" NOT NULL,
  description text COLLATE "C",
  -- Our word; the word of another program where we have none for it.
  status text COLLATE "C" NOT NULL DEFAULT 'open',
  -- The word of another program, where it is not ours.
  status_raw text COLLATE "C",
  priority smallint DEFAULT 2,
  priority_raw text COLLATE "C",
  project text COLLATE "C",
  owner text COLLATE "C",
  tags text[] COLLATE "C" NOT NULL DEFAULT '{}',
  parent bigint,
  due timestamptz(3),
  deferred_until timestamptz(3),
  dedup_key text COLLATE "C",
  version bigint NOT NULL DEFAULT 1,
  created_at timestamptz(3),
  updated_at timestamptz(3),
  done_at timestamptz(3),
  lease_holder text COLLATE "C",
  lease_until timestamptz(3),
  -- Milliseconds.
  lease_ttl bigint,
  lease_fence bigint NOT NULL DEFAULT 0,
  attempts bigint NOT NULL DEFAULT 0,
  -- Columns of another program's table, as they were.
  extra json
) WITH (
  -- Room on each page for the versions that claims leave behind: no index holds a lease, so that none is touched by one.
  fillfactor = 75,
  autovacuum_vacuum_scale_factor = 0.05,
  autovacuum_analyze_scale_factor = 0.05
);

CREATE UNIQUE INDEX tasks_dedup_key ON alai.tasks (dedup_key) WHERE dedup_key IS NOT NULL;
CREATE INDEX tasks_parent ON alai.tasks (parent) WHERE parent IS NOT NULL;
-- What \`next\` hands out first.
CREATE INDEX tasks_urgency ON alai.tasks ((coalesce(priority, 2)), due, id) WHERE status IN ('open', 'ready');

CREATE TABLE alai.dependencies (
  task bigint NOT NULL,
  blocker bigint NOT NULL,
  PRIMARY KEY (task, blocker)
);

CREATE INDEX dependencies_blocker ON alai.dependencies (blocker);

CREATE TABLE alai.evidence (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  task bigint NOT NULL,
  path text COLLATE "C" NOT NULL,
  sha256 text COLLATE "C" NOT NULL,
  -- Bytes.
  size bigint NOT NULL
);

CREATE INDEX evidence_task ON alai.evidence (task, id);

CREATE TABLE alai.events (
  seq bigint PRIMARY KEY,
  task bigint,
  kind text COLLATE "C" NOT NULL,
  at timestamptz(3) NOT NULL,
  actor text COLLATE "C" NOT NULL,
  session text COLLATE "C" NOT NULL,
  fence bigint,
  data json
);

CREATE INDEX events_task ON alai.events (task, seq);
-- For undo, and for imports of what was imported before. Claims are in neither.
CREATE INDEX events_undoable ON alai.events (actor, session, seq) WHERE kind IN
  ('added', 'edited', 'done', 'ready', 'paused', 'reopened', 'cancelled', 'dep_added', 'dep_removed');
CREATE INDEX events_imported ON alai.events (seq) WHERE kind = 'imported';

-- One row: where the journal ends. Who writes takes it last, so that numbers are gap-free and in the order of commits.
CREATE TABLE alai.head (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  -- The ledger's own id, the same in every copy of it.
  ledger text COLLATE "C" NOT NULL,
  seq bigint NOT NULL,
  at timestamptz(3) NOT NULL,
  -- The highest number a task ever had.
  task bigint NOT NULL,
  -- Up to here the journal is not complete any more.
  pruned bigint NOT NULL,
  -- A copy whose rows are not all here yet; it takes no changes.
  restoring boolean NOT NULL
) WITH (
  fillfactor = 10,
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 500,
  autovacuum_vacuum_cost_delay = 0
);

INSERT INTO alai.head (ledger, seq, at, task, pruned, restoring)
VALUES (replace(gen_random_uuid()::text, '-', ''), 0, 'epoch', 0, 0, false);

CREATE TABLE alai.requests (
  subject text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  at timestamptz(3) NOT NULL,
  fingerprint text COLLATE "C" NOT NULL,
  answer json NOT NULL,
  PRIMARY KEY (subject, key)
);

CREATE INDEX requests_at ON alai.requests (at);

-- A task as it is shown, without its lease's state, which depends on the time.
CREATE VIEW alai.task_rows AS
SELECT
  t.*,
  ARRAY(SELECT d.blocker FROM alai.dependencies d WHERE d.task = t.id ORDER BY d.blocker) AS blocked_by,
  (
    SELECT json_agg(json_build_object('path', e.path, 'sha256', e.sha256, 'size', e.size) ORDER BY e.id)
    FROM alai.evidence e WHERE e.task = t.id
  ) AS evidence
FROM alai.tasks t;

CREATE FUNCTION alai.millis(at timestamptz) RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT (date_part('epoch', at) * 1000)::bigint
$$;

CREATE FUNCTION alai.from_millis(ms bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT to_timestamp(ms::double precision / 1000)
$$;

-- The store's clock, for decisions: it must be read after the lock on what it decides, in a later statement.
-- Never earlier than anything the journal tells, so that a clock that is set back brings no lease to life.
CREATE FUNCTION alai.moment() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$
  SELECT date_trunc('milliseconds', greatest(clock_timestamp(), (SELECT h.at FROM alai.head h)))
$$;

-- The same for a statement that only reads: a clock from before its snapshot, so that what it sees was so then.
CREATE FUNCTION alai.read_moment() RETURNS timestamptz LANGUAGE sql STABLE AS $$
  SELECT date_trunc('milliseconds', greatest(now(), (SELECT h.at FROM alai.head h)))
$$;

-- A changed dependency or parent could close a circle that no row lock sees: these changes are made one at a time.
CREATE FUNCTION alai.lock_graph() RETURNS void LANGUAGE sql VOLATILE AS $$
  SELECT pg_advisory_xact_lock(hashtextextended('alai.graph', 0))
$$;

-- False while another transaction is at work under the same key.
CREATE FUNCTION alai.lock_request(subject text, key text) RETURNS boolean LANGUAGE sql VOLATILE AS $$
  SELECT pg_try_advisory_xact_lock(hashtextextended(key, hashtextextended(subject, 0)))
$$;

-- Writes the lines of a transaction, the last thing it does: the head stays locked until the commit.
CREATE FUNCTION alai.append(drafts json, moment timestamptz, OUT last bigint, OUT at timestamptz)
LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
  unfinished boolean;
  lines int := json_array_length(drafts);
BEGIN
  UPDATE alai.head h SET seq = h.seq + lines, at = greatest(h.at, moment)
  RETURNING h.seq, h.at, h.restoring INTO append.last, append.at, unfinished;
  IF unfinished THEN
    RAISE EXCEPTION 'this ledger is a copy that is not complete yet' USING ERRCODE = 'AL001';
  END IF;
  INSERT INTO alai.events (seq, task, kind, at, actor, session, fence, data)
  SELECT append.last - lines + d.n, d.task, d.kind, append.at, d.actor, d.session, d.fence, d.data
  FROM ROWS FROM (
    json_to_recordset(drafts) AS (task bigint, kind text, actor text, session text, fence bigint, data json)
  ) WITH ORDINALITY AS d (task, kind, actor, session, fence, data, n);
END
$$;
` },
  { version: 2, name: "0002_security", checksum: "4bd5fd51b3e5e716a4fefcbbbc0282590143a36da91aa003c257d55e0aff1514", breaking: false, text: `-- Service tokens of machines, and the audit: an append-only chain of hashes. docs/security.md

CREATE TABLE alai.tokens (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL,
  -- SHA-256 of the whole token, hex: the token itself is nowhere.
  hash text NOT NULL UNIQUE,
  scopes text[] NOT NULL,
  actor text NOT NULL,
  may_act_for_others boolean NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz,
  revoked_at timestamptz,
  last_used timestamptz
);

-- A name may be used again once its token is revoked.
CREATE UNIQUE INDEX tokens_name ON alai.tokens (name) WHERE revoked_at IS NULL;

CREATE TABLE alai.audit (
  seq bigint PRIMARY KEY,
  at timestamptz NOT NULL,
  subject text,
  action text NOT NULL,
  target text,
  outcome text NOT NULL,
  address text,
  request_id text,
  detail jsonb NOT NULL,
  hash text NOT NULL
);

-- One row: the end of the chain. Who appends locks it, so that replicas write one chain.
CREATE TABLE alai.audit_head (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  seq bigint NOT NULL,
  hash text NOT NULL
);

INSERT INTO alai.audit_head (seq, hash) VALUES (0, repeat('0', 64));

CREATE FUNCTION alai.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the audit is append-only' USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE FUNCTION alai.forward_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.seq <= OLD.seq THEN
    RAISE EXCEPTION 'the audit is append-only' USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NEW;
END
$$;

CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON alai.audit
  FOR EACH ROW EXECUTE FUNCTION alai.refuse_change();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON alai.audit
  FOR EACH STATEMENT EXECUTE FUNCTION alai.refuse_change();
CREATE TRIGGER audit_head_no_delete BEFORE DELETE ON alai.audit_head
  FOR EACH ROW EXECUTE FUNCTION alai.refuse_change();
CREATE TRIGGER audit_head_no_truncate BEFORE TRUNCATE ON alai.audit_head
  FOR EACH STATEMENT EXECUTE FUNCTION alai.refuse_change();
CREATE TRIGGER audit_head_forward BEFORE UPDATE ON alai.audit_head
  FOR EACH ROW EXECUTE FUNCTION alai.forward_only();
` },
  { version: 3, name: "0003_leases", checksum: "78b568d3ba177b4cdc093e2a586644069a19dbec6c8fa030fe06fb7c5d205e6e", breaking: false, text: `-- Lease verbs of many callers in one statement: one round trip and one commit. The rules are those of core/src/lease.ts,
-- as far as something is changed; every refusal is worded there, from the rows that come back, and each decision checked.

-- One task of one call.
CREATE TYPE alai.lease_wish AS (
  call int,
  verb text,
  task bigint,
  actor text,
  session text,
  -- Milliseconds; null to extend by what the lease was granted for.
  ttl bigint,
  fence bigint,
  -- An earlier call of the same batch has this task: it is only looked at.
  later boolean
);

-- What the locked row was, and what is done to it.
CREATE TYPE alai.lease_decision AS (
  call int,
  verb text,
  task bigint,
  actor text,
  session text,
  me text,
  title text,
  status text,
  status_raw text,
  holder text,
  until timestamptz,
  ttl bigint,
  fence bigint,
  waits boolean,
  blockers bigint[],
  my_fence bigint,
  my_end boolean,
  -- acquire, again, extend, release, already; null: refused.
  act text,
  -- Every task of the call may be changed, and this one is.
  done boolean,
  -- The length that was asked for, milliseconds.
  wanted bigint,
  new_ttl bigint,
  new_until timestamptz,
  -- A line of the journal is due.
  tells boolean
);

-- Takes the rows in the order of their numbers, whoever asks, so that no two batches wait for each other.
-- Gives the blockers that were taken too: they cannot be reopened before this commits.
CREATE FUNCTION alai.lock_wishes(wishes alai.lease_wish[]) RETURNS bigint[]
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  tasks bigint[] := ARRAY(SELECT w.task FROM unnest(wishes) w);
  blockers bigint[] := ARRAY(
    SELECT d.blocker FROM unnest(wishes) w JOIN alai.dependencies d ON d.task = w.task WHERE w.verb = 'claim'
  );
  one record;
BEGIN
  IF blockers = '{}' THEN
    PERFORM FROM alai.tasks t WHERE t.id = ANY (tasks) ORDER BY t.id FOR NO KEY UPDATE;
    RETURN blockers;
  END IF;
  FOR one IN
    SELECT u.id, bool_or(u.own) AS own
    FROM (SELECT unnest(tasks) AS id, true AS own UNION ALL SELECT unnest(blockers), false) u
    GROUP BY u.id ORDER BY u.id
  LOOP
    IF one.own THEN
      PERFORM FROM alai.tasks t WHERE t.id = one.id FOR NO KEY UPDATE;
    ELSE
      PERFORM FROM alai.tasks t WHERE t.id = one.id FOR SHARE;
    END IF;
  END LOOP;
  RETURN blockers;
END
$$;

-- Decides on rows that are locked, at a moment that was read after that.
-- rules: {"ttl": what an unset lease length counts as, "renewal": how seldom the journal tells of renewals}, milliseconds.
CREATE FUNCTION alai.decide_leases(wishes alai.lease_wish[], locked bigint[], moment timestamptz, rules json)
RETURNS alai.lease_decision[]
LANGUAGE plpgsql VOLATILE
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
DECLARE
  usual bigint := (rules ->> 'ttl')::bigint;
  seldom interval := make_interval(secs => (rules ->> 'renewal')::bigint / 1000.0);
  decisions alai.lease_decision[];
  unlocked boolean;
BEGIN
  SELECT
    array_agg(ROW(
      z.call, z.verb, z.task, z.actor, z.session, z.me, z.title, z.status, z.status_raw, z.holder, z.until, z.ttl, z.fence,
      z.waits, z.blockers, z.my_fence, z.my_end, z.act, z.done, z.wanted,
      CASE z.act WHEN 'acquire' THEN z.wanted WHEN 'again' THEN greatest(z.wanted, z.ttl) WHEN 'extend' THEN z.wanted END,
      CASE
        WHEN z.act = 'acquire' THEN moment + make_interval(secs => z.wanted / 1000.0)
        WHEN z.act IN ('again', 'extend') THEN greatest(z.until, moment + make_interval(secs => z.wanted / 1000.0))
      END,
      z.done AND (z.act IN ('acquire', 'release') OR z.act IN ('again', 'extend') AND moment - coalesce(z.told, 'epoch') >= seldom)
    )::alai.lease_decision ORDER BY z.n),
    bool_or(z.unlocked)
  INTO decisions, unlocked
  FROM (
    SELECT y.*, bool_and(y.act IS NOT NULL AND NOT y.later) OVER (PARTITION BY y.call) AND y.act <> 'already' AS done
    FROM (
      SELECT x.*, told.at AS told, mine.fence AS my_fence, mine.ended AS my_end,
        CASE
          WHEN x.id IS NULL THEN NULL
          WHEN x.verb = 'claim' AND x.live THEN CASE WHEN x.holder = x.me THEN 'again' END
          WHEN x.verb = 'claim' THEN CASE WHEN x.status IN ('open', 'ready') AND x.blockers IS NULL THEN 'acquire' END
          WHEN x.asserted <> x.fence THEN NULL
          WHEN x.verb = 'extend' THEN CASE WHEN x.live AND x.holder = x.me THEN 'extend' END
          WHEN x.holder = x.me THEN 'release'
          WHEN x.holder IS NULL AND mine.fence = x.fence AND x.fence > 0 THEN 'already'
        END AS act
      FROM (
        SELECT w.n, w.call, w.verb, w.task, w.actor, w.session, w.actor || ':' || w.session AS me, w.later, w.fence AS asserted,
          t.id, t.title, t.status, t.status_raw, t.lease_holder AS holder, t.lease_until AS until, t.lease_fence AS fence,
          coalesce(nullif(t.lease_ttl, 0), usual) AS ttl,
          coalesce(w.ttl, nullif(t.lease_ttl, 0), usual) AS wanted,
          t.lease_holder IS NOT NULL AND (t.lease_until IS NULL OR t.lease_until > moment) AS live,
          waiting.waits, waiting.blockers, waiting.unlocked
        FROM unnest(wishes) WITH ORDINALITY AS w (call, verb, task, actor, session, ttl, fence, later, n)
        LEFT JOIN alai.tasks t ON t.id = w.task
        LEFT JOIN LATERAL (
          SELECT count(*) > 0 AS waits,
            array_agg(d.blocker ORDER BY d.blocker) FILTER (WHERE b.status NOT IN ('done', 'cancelled')) AS blockers,
            bool_or(d.blocker <> ALL (locked)) AS unlocked
          FROM alai.dependencies d LEFT JOIN alai.tasks b ON b.id = d.blocker
          WHERE d.task = w.task AND w.verb = 'claim'
        ) waiting ON true
      ) x
      LEFT JOIN LATERAL (
        SELECT e.at FROM alai.events e
        WHERE e.task = x.task AND x.live AND x.holder = x.me AND x.verb <> 'release'
          AND e.kind IN ('acquired', 'taken_over', 'renewed')
        ORDER BY e.seq DESC LIMIT 1
      ) told ON true
      LEFT JOIN LATERAL (
        SELECT g.fence, EXISTS (
            SELECT FROM alai.events e
            WHERE e.task = g.task AND e.actor = g.actor AND e.session = g.session AND e.seq > g.seq
              AND e.kind IN ('released', 'done', 'ready', 'paused', 'cancelled')
          ) AS ended
        FROM alai.events g
        WHERE g.task = x.task AND x.verb <> 'claim' AND x.holder IS DISTINCT FROM x.me
          AND g.actor = x.actor AND g.session = x.session AND g.kind IN ('acquired', 'taken_over')
        ORDER BY g.seq DESC LIMIT 1
      ) mine ON true
    ) y
  ) z;
  IF unlocked THEN
    RAISE EXCEPTION 'a dependency came between' USING ERRCODE = 'serialization_failure';
  END IF;
  RETURN decisions;
END
$$;

-- Writes what was decided: the rows first, the journal last. Gives the journal's newest number; null when it has no new line.
CREATE FUNCTION alai.write_leases(decisions alai.lease_decision[], moment timestamptz) RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
DECLARE
  expected int := (SELECT count(*) FROM unnest(decisions) d WHERE d.done);
  changed int;
  newest bigint;
BEGIN
  IF expected = 0 THEN
    RETURN NULL;
  END IF;
  UPDATE alai.tasks t SET
    lease_holder = CASE WHEN d.act <> 'release' THEN d.me END,
    lease_until = d.new_until,
    lease_ttl = d.new_ttl,
    lease_fence = t.lease_fence + (d.act = 'acquire')::int,
    attempts = t.attempts + (d.act = 'acquire')::int
  FROM unnest(decisions) d
  WHERE t.id = d.task AND d.done AND t.lease_fence = d.fence AND t.lease_holder IS NOT DISTINCT FROM d.holder;
  GET DIAGNOSTICS changed = ROW_COUNT;
  IF changed <> expected THEN
    RAISE EXCEPTION '% of % leases moved under their locks', expected - changed, expected;
  END IF;
  WITH line AS MATERIALIZED (
    SELECT d.*, row_number() OVER () AS i FROM unnest(decisions) d WHERE d.tells
  ), head AS (
    UPDATE alai.head h SET seq = h.seq + (SELECT count(*) FROM line), at = greatest(h.at, moment)
    WHERE EXISTS (SELECT FROM line)
    RETURNING h.seq, h.at
  ), written AS (
    INSERT INTO alai.events (seq, task, kind, at, actor, session, fence, data)
    SELECT h.seq - (SELECT count(*) FROM line) + l.i, l.task,
      CASE
        WHEN l.act = 'release' THEN 'released'
        WHEN l.act <> 'acquire' THEN 'renewed'
        WHEN l.holder IS NULL THEN 'acquired'
        ELSE 'taken_over'
      END,
      h.at, l.actor, l.session, l.fence + (l.act = 'acquire')::int,
      CASE
        WHEN l.act = 'release' THEN NULL
        WHEN l.act = 'acquire' AND l.holder IS NOT NULL THEN json_build_object(
          'ttl', l.wanted, 'until', alai.millis(l.new_until),
          'prev_holder', l.holder, 'prev_until', alai.millis(l.until), 'prev_fence', l.fence)
        ELSE json_build_object('ttl', l.wanted, 'until', alai.millis(l.new_until))
      END
    FROM line l CROSS JOIN head h
  )
  SELECT h.seq INTO newest FROM head h;
  RETURN newest;
END
$$;

-- What a caller's program needs to word the answer: the row as it was locked, and what was done.
CREATE FUNCTION alai.lease_answer(d alai.lease_decision) RETURNS json LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN d.title IS NULL THEN NULL ELSE json_build_object(
    'actor', d.actor, 'session', d.session, 'title', d.title, 'status', d.status, 'status_raw', d.status_raw,
    'holder', d.holder, 'until', alai.millis(d.until), 'ttl', d.ttl, 'fence', d.fence,
    'waits', d.waits, 'blockers', d.blockers, 'my_fence', d.my_fence, 'my_end', d.my_end,
    'act', d.act, 'done', d.done, 'wanted', d.wanted, 'new_until', alai.millis(d.new_until)) END
$$;

-- A call's key: another transaction is at work under it, or it was answered before.
CREATE TYPE alai.request_found AS (
  call int,
  fingerprint text,
  at timestamptz,
  -- Null while another is at work.
  answer json
);

-- Keys that are not to be run now. keys: [{"call", "actor", "key", "fingerprint"}]; rules: {"memory": how long an answer is good}.
CREATE FUNCTION alai.find_requests(keys json, moment timestamptz, rules json) RETURNS alai.request_found[]
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  busy int[] := ARRAY(
    SELECT k.call FROM json_to_recordset(keys) AS k (call int, actor text, key text)
    WHERE NOT alai.lock_request(k.actor, k.key)
  );
  oldest timestamptz := moment - make_interval(secs => (rules ->> 'memory')::bigint / 1000.0);
BEGIN
  RETURN ARRAY(
    SELECT ROW(k.call, r.fingerprint, r.at, r.answer)::alai.request_found
    FROM json_to_recordset(keys) AS k (call int, actor text, key text)
    LEFT JOIN alai.requests r ON r.subject = k.actor AND r.key = k.key AND r.at > oldest AND k.call <> ALL (busy)
    WHERE r.key IS NOT NULL OR k.call = ANY (busy)
  );
END
$$;

-- Keeps answers: {"call number": answer}.
CREATE FUNCTION alai.keep_answers(keys json, answers json, moment timestamptz) RETURNS void
LANGUAGE sql VOLATILE AS $$
  INSERT INTO alai.requests (subject, key, at, fingerprint, answer)
  SELECT k.actor, k.key, moment, k.fingerprint, a.value
  FROM json_each(answers) a
  JOIN json_to_recordset(keys) AS k (call int, actor text, key text, fingerprint text) ON k.call = a.key::int
  ON CONFLICT (subject, key) DO UPDATE SET at = excluded.at, fingerprint = excluded.fingerprint, answer = excluded.answer
$$;

-- Throws while this ledger is a copy that is not complete.
CREATE FUNCTION alai.require_whole() RETURNS void LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF (SELECT h.restoring FROM alai.head h) THEN
    RAISE EXCEPTION 'this ledger is a copy that is not complete yet' USING ERRCODE = 'AL001';
  END IF;
END
$$;

-- Claims, extends and releases: each call's tasks all or none.
-- calls: [{"call", "verb", "tasks", "actor", "session", "ttl", "fence", "later"}]; keys as in find_requests, or null.
-- Gives {"asked", "found", "moment", "seq", "tasks": [[call, task, answer]]}.
CREATE FUNCTION alai.change_leases(calls json, keys json, rules json) RETURNS json
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  asked timestamptz := alai.moment();
  found alai.request_found[] := '{}';
  wishes alai.lease_wish[];
  locked bigint[];
  moment timestamptz;
  decisions alai.lease_decision[] := '{}';
  newest bigint;
BEGIN
  PERFORM alai.require_whole();
  IF keys IS NOT NULL THEN
    found := alai.find_requests(keys, asked, rules);
  END IF;
  wishes := ARRAY(
    SELECT ROW(c.call, c.verb, u.task, c.actor, c.session, c.ttl, c.fence, c.later)::alai.lease_wish
    FROM json_to_recordset(calls)
      AS c (call int, verb text, tasks bigint[], actor text, session text, ttl bigint, fence bigint, later boolean)
    CROSS JOIN LATERAL unnest(c.tasks) WITH ORDINALITY AS u (task, n)
    WHERE cardinality(found) = 0 OR c.call NOT IN (SELECT f.call FROM unnest(found) f)
    ORDER BY c.call, u.n
  );
  IF cardinality(wishes) > 0 THEN
    locked := alai.lock_wishes(wishes);
    moment := alai.moment();
    decisions := alai.decide_leases(wishes, locked, moment, rules);
    IF keys IS NOT NULL THEN
      PERFORM alai.keep_answers(keys, (
        SELECT json_object_agg(c.call, c.answer) FROM (
          SELECT d.call, json_build_object('verb', min(d.verb),
            'moment', alai.millis(moment), 'tasks', json_agg(json_build_array(d.call, d.task, alai.lease_answer(d)))) AS answer
          FROM unnest(decisions) d GROUP BY d.call HAVING bool_and(d.done OR d.act = 'already')
        ) c
      ), moment);
    END IF;
    newest := alai.write_leases(decisions, moment);
  END IF;
  RETURN json_build_object(
    'asked', alai.millis(asked),
    'found', (SELECT json_agg(json_build_array(f.call, f.fingerprint, alai.millis(f.at), f.answer)) FROM unnest(found) f),
    'moment', alai.millis(moment),
    'seq', newest,
    'tasks', (SELECT json_agg(json_build_array(d.call, d.task, alai.lease_answer(d))) FROM unnest(decisions) d)
  );
END
$$;

-- The next tasks that meet a condition over \`t\` ($1: the moment), one for each call, in the order of the calls.
-- calls: [{"call", "actor", "session", "ttl"}].
-- Gives {"asked", "found", "moment", "seq", "left": calls that must ask again, "tasks": [[call, task, answer, the row as it was,
-- how many were ready]]}; a call that is in none of them found nothing.
CREATE FUNCTION alai.claim_next(condition text, calls json, keys json, rules json) RETURNS json
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  asked timestamptz := alai.moment();
  found alai.request_found[] := '{}';
  waiting int[];
  pick text := format(
    'ARRAY(SELECT t.id FROM alai.tasks t WHERE %s ORDER BY coalesce(t.priority, 2), t.due, t.id LIMIT $2)', condition);
  total text := format('(SELECT count(*) FROM alai.tasks t WHERE %s)', condition);
  chosen bigint[];
  held bigint[];
  ready bigint := 0;
  sure int := 0;
  wishes alai.lease_wish[];
  locked bigint[];
  moment timestamptz;
  decisions alai.lease_decision[] := '{}';
  rows json;
  newest bigint;
BEGIN
  PERFORM alai.require_whole();
  IF keys IS NOT NULL THEN
    found := alai.find_requests(keys, asked, rules);
  END IF;
  waiting := ARRAY(
    SELECT c.call FROM json_to_recordset(calls) AS c (call int)
    WHERE c.call NOT IN (SELECT f.call FROM unnest(found) f) ORDER BY c.call
  );
  IF cardinality(waiting) > 0 THEN
    -- Look, lock what was seen, and look again: what stands first then and is locked is first in truth.
    EXECUTE 'SELECT ' || pick INTO chosen USING asked, cardinality(waiting);
    PERFORM FROM alai.tasks t WHERE t.id = ANY (chosen) ORDER BY t.id FOR NO KEY UPDATE;
    held := chosen;
    FOR round IN 1..3 LOOP
      moment := alai.moment();
      EXECUTE 'SELECT ' || pick || ', ' || total INTO chosen, ready USING moment, cardinality(waiting);
      EXIT WHEN chosen <@ held OR round = 3;
      -- Waiting for more while holding some could go in a circle: only what is free.
      held := held || ARRAY(
        SELECT t.id FROM alai.tasks t WHERE t.id = ANY (chosen) AND t.id <> ALL (held)
        ORDER BY t.id FOR NO KEY UPDATE SKIP LOCKED
      );
    END LOOP;
    sure := coalesce(
      (SELECT min(u.n) - 1 FROM unnest(chosen) WITH ORDINALITY AS u (id, n) WHERE u.id <> ALL (held)),
      cardinality(chosen)
    );
    wishes := ARRAY(
      SELECT ROW(c.call, 'claim', u.task, c.actor, c.session, c.ttl, NULL, false)::alai.lease_wish
      FROM unnest(chosen[:sure], waiting[:sure]) WITH ORDINALITY AS u (task, call, n)
      JOIN json_to_recordset(calls) AS c (call int, actor text, session text, ttl bigint) ON c.call = u.call
      ORDER BY u.n
    );
  END IF;
  IF cardinality(wishes) > 0 THEN
    locked := alai.lock_wishes(wishes);
    moment := alai.moment();
    decisions := alai.decide_leases(wishes, locked, moment, rules);
    rows := (
      SELECT json_agg(json_build_array(
        d.call, d.task, alai.lease_answer(d), row_to_json(r), ready - array_position(chosen, d.task) + 1))
      FROM unnest(decisions) d JOIN alai.task_rows r ON r.id = d.task WHERE d.done
    );
    IF keys IS NOT NULL THEN
      PERFORM alai.keep_answers(keys, (
        SELECT json_object_agg(
          e.value ->> 0, json_build_object('verb', 'next', 'moment', alai.millis(moment), 'tasks', json_build_array(e.value)))
        FROM json_array_elements(rows) e
      ), moment);
    END IF;
    newest := alai.write_leases(decisions, moment);
  END IF;
  RETURN json_build_object(
    'asked', alai.millis(asked),
    'found', (SELECT json_agg(json_build_array(f.call, f.fingerprint, alai.millis(f.at), f.answer)) FROM unnest(found) f),
    'moment', alai.millis(moment),
    'seq', newest,
    'left', (
      SELECT json_agg(w.call) FROM unnest(waiting) WITH ORDINALITY AS w (call, n)
      WHERE CASE
        WHEN w.n > sure THEN sure < cardinality(chosen)
        ELSE w.call NOT IN (SELECT d.call FROM unnest(decisions) d WHERE d.done)
      END
    ),
    'tasks', rows
  );
END
$$;
` },
];
