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
  changeLeasesOnce: { name: "alai-change-leases-once", text: `SELECT o.call, (o.answer).task, (o.answer).title, (o.answer).status, (o.answer).status_raw, (o.answer).holder, (o.answer).until,
  (o.answer).ttl, (o.answer).fence, (o.answer).blockers, (o.answer).my_fence, (o.answer).my_end, (o.answer).act,
  (o.answer).wanted, (o.answer).new_until, (o.answer).moment, o.known
FROM alai.take_leases_once($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) o` },
  changeLeases: { name: "alai-change-leases", text: `SELECT l.call, l.task, l.title, l.status, l.status_raw, l.holder, l.until, l.ttl, l.fence, l.blockers, l.my_fence, l.my_end,
  l.act, l.wanted, l.new_until, l.moment
FROM alai.take_leases($1, $2, $3, $4, $5, $6, $7, $8, $9, '{}', NULL) l` },
  claimNext: { name: "alai-claim-next", text: `SELECT n.call, n.again, row_to_json(n.answer) AS answer, n.task, n.ready, n.known
FROM alai.claim_next($1, $2, $3, $4, $5, $6, $7, $8, $9) n` },
  clearLeases: { name: "alai-clear-leases", text: `UPDATE alai.tasks SET lease_holder = NULL, lease_until = NULL, lease_ttl = NULL WHERE id = ANY ($1::bigint[])` },
  countRows: { name: "alai-count-rows", text: `SELECT
  (SELECT count(*) FROM alai.tasks) AS task,
  (SELECT count(*) FROM alai.dependencies) AS dependency,
  (SELECT count(*) FROM (SELECT DISTINCT e.task, e.path, e.sha256, e.size FROM alai.evidence e) d) AS evidence,
  (SELECT count(*) FROM alai.events) AS event` },
  countStatuses: { name: "alai-count-statuses", text: `SELECT t.status, count(*) AS n FROM alai.tasks t GROUP BY t.status ORDER BY 2 DESC, 1` },
  dependenciesOf: { name: "alai-dependencies-of", text: `SELECT d.task, d.blocker FROM alai.dependencies d WHERE d.task = ANY ($1::bigint[])` },
  dropRequests: { name: "alai-drop-requests", text: `DELETE FROM alai.requests r USING (
  SELECT o.subject, o.key FROM alai.requests o WHERE o.at <= alai.read_moment() - make_interval(secs => $1 / 1000.0)
  LIMIT 5000 FOR UPDATE SKIP LOCKED
) old
WHERE r.subject = old.subject AND r.key = old.key` },
  event: { name: "alai-event", text: `SELECT e.seq, e.task, e.kind, e.at, e.actor, e.session, e.fence, e.data FROM alai.events e WHERE e.seq = $1` },
  eventsByNumber: { name: "alai-events-by-number", text: `SELECT e.seq, e.task, e.kind, e.at, e.actor, e.session, e.fence, e.data FROM alai.events e WHERE e.seq = ANY ($1::bigint[])` },
  eventsOfTask: { name: "alai-events-of-task", text: `SELECT e.seq, e.task, e.kind, e.at, e.actor, e.session, e.fence, e.data FROM alai.events e
WHERE e.task = $3 AND e.seq > $1 ORDER BY e.seq LIMIT $2` },
  events: { name: "alai-events", text: `SELECT e.seq, e.task, e.kind, e.at, e.actor, e.session, e.fence, e.data FROM alai.events e
WHERE e.seq > $1 ORDER BY e.seq LIMIT $2` },
  evidenceOf: { name: "alai-evidence-of", text: `SELECT e.task, e.path, e.sha256, e.size FROM alai.evidence e WHERE e.task = ANY ($1::bigint[])` },
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
  readLocked: { name: "alai-read-locked", text: `SELECT r.*, mine.fence AS my_fence, mine.ended AS my_end
FROM alai.task_rows r LEFT JOIN LATERAL alai.memory_of(r.id, $2, $3) mine ON true
WHERE r.id = ANY ($1::bigint[])` },
  readMigrations: { name: "alai-read-migrations", text: `SELECT version, name, checksum, breaking FROM alai.migrations ORDER BY version` },
  recordMigration: { name: "alai-record-migration", text: `INSERT INTO alai.migrations (version, name, checksum, breaking) VALUES ($1, $2, $3, $4)` },
  removeDependencies: { name: "alai-remove-dependencies", text: `DELETE FROM alai.dependencies d USING unnest($1::bigint[], $2::bigint[]) AS u (task, blocker)
WHERE d.task = u.task AND d.blocker = u.blocker` },
  removeEvidence: { name: "alai-remove-evidence", text: `DELETE FROM alai.evidence e
USING json_to_recordset($1) AS r (task bigint, path text, sha256 text, size bigint)
WHERE e.task = r.task AND e.path = r.path AND e.sha256 = r.sha256 AND e.size = r.size` },
  restoreEvents: { name: "alai-restore-events", text: `INSERT INTO alai.events (seq, task, kind, at, actor, session, fence, data)
SELECT r.seq, r.task, r.kind, alai.from_millis(r.at), r.actor, r.session, r.fence, CASE WHEN r.data::text <> '{}' THEN r.data END
FROM json_to_recordset($1) AS r (seq bigint, task bigint, kind text, at bigint, actor text, session text, fence bigint, data json)` },
  restoreHead: { name: "alai-restore-head", text: `UPDATE alai.head SET ledger = $1, seq = greatest(seq, $2), at = greatest(at, alai.from_millis($3)), pruned = greatest(pruned, $4),
  task = greatest(task, $5), restoring = $6` },
  restoreTasks: { name: "alai-restore-tasks", text: `INSERT INTO alai.tasks (id, title, description, status, status_raw, priority, priority_raw, project, owner, tags, parent, due,
  deferred_until, dedup_key, version, created_at, updated_at, done_at, lease_holder, lease_until, lease_ttl, lease_fence,
  attempts, extra)
SELECT r.id, r.title, r.description, r.status, r.status_raw, r.priority, r.priority_raw, r.project, r.owner, r.tags, r.parent,
  alai.from_millis(r.due), alai.from_millis(r.deferred_until), r.dedup_key, r.version, alai.from_millis(r.created_at),
  alai.from_millis(r.updated_at), alai.from_millis(r.done_at), r.lease_holder, alai.from_millis(r.lease_until), r.lease_ttl,
  r.fence, r.attempts, CASE WHEN r.extra::text <> '{}' THEN r.extra END
FROM json_to_recordset($1) AS r (id bigint, title text, description text, status text, status_raw text, priority smallint,
  priority_raw text, project text, owner text, tags text[], parent bigint, due bigint, deferred_until bigint, dedup_key text,
  version bigint, created_at bigint, updated_at bigint, done_at bigint, lease_holder text, lease_until bigint,
  lease_ttl bigint, fence bigint, attempts bigint, extra json)
ON CONFLICT (id) DO UPDATE SET
  title = excluded.title, description = excluded.description, status = excluded.status, status_raw = excluded.status_raw,
  priority = excluded.priority, priority_raw = excluded.priority_raw, project = excluded.project, owner = excluded.owner,
  tags = excluded.tags, parent = excluded.parent, due = excluded.due, deferred_until = excluded.deferred_until,
  dedup_key = excluded.dedup_key, version = excluded.version, created_at = excluded.created_at,
  updated_at = excluded.updated_at, done_at = excluded.done_at, lease_holder = excluded.lease_holder,
  lease_until = excluded.lease_until, lease_ttl = excluded.lease_ttl, lease_fence = excluded.lease_fence,
  attempts = excluded.attempts, extra = excluded.extra` },
  restoreTold: { name: "alai-restore-told", text: `UPDATE alai.tasks t SET lease_told = (
  SELECT e.at FROM alai.events e
  WHERE e.task = t.id AND e.kind IN ('acquired', 'taken_over', 'renewed') ORDER BY e.seq DESC LIMIT 1
)
WHERE t.id = ANY ($1::bigint[])` },
  saveTask: { name: "alai-save-task", text: `UPDATE alai.tasks SET
  title = $2, description = $3, status = $4, status_raw = $5, priority = $6, priority_raw = $7, project = $8, owner = $9,
  tags = $10, parent = $11, due = alai.from_millis($12), deferred_until = alai.from_millis($13), version = $14,
  updated_at = alai.from_millis($15), done_at = alai.from_millis($16),
  lease_holder = $17, lease_until = alai.from_millis($18), lease_ttl = $19, lease_told = alai.from_millis($20)
WHERE id = $1` },
  session: { name: "alai-session", text: `SELECT
  set_config('search_path', '', false),
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
  { version: 1, name: "0001_ledger", checksum: "952fab6f0dbf358b1b2a65c640b60890e2d280351a30c785406294065c96efe8", breaking: false, text: `-- The ledger: tasks, what they wait for, their evidence, the journal with its head, and answers kept for retries.
-- Text is compared byte by byte (COLLATE "C"), as SQLite compares it; times are UTC to the millisecond.

-- What is looked at of every task comes first: Postgres walks a row from its start.
CREATE TABLE alai.tasks (
  id bigint PRIMARY KEY,
  lease_fence bigint NOT NULL DEFAULT 0,
  attempts bigint NOT NULL DEFAULT 0,
  version bigint NOT NULL DEFAULT 1,
  -- Our word; the word of another program where we have none for it.
  status text COLLATE "C" NOT NULL DEFAULT 'open',
  lease_until timestamptz(3),
  deferred_until timestamptz(3),
  lease_holder text COLLATE "C",
  due timestamptz(3),
  priority smallint DEFAULT 2,
  -- Milliseconds.
  lease_ttl bigint,
  -- When the journal last told of the lease: gained, taken over or renewed.
  lease_told timestamptz(3),
  title text COLLATE "C" NOT NULL,
  -- The words of another program, where they are not ours.
  status_raw text COLLATE "C",
  priority_raw text COLLATE "C",
  project text COLLATE "C",
  owner text COLLATE "C",
  parent bigint,
  dedup_key text COLLATE "C",
  created_at timestamptz(3),
  updated_at timestamptz(3),
  done_at timestamptz(3),
  tags text[] COLLATE "C" NOT NULL DEFAULT '{}',
  description text COLLATE "C",
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

-- Old ones are found by where they are: they were written in the order of their times.
CREATE INDEX requests_at ON alai.requests USING brin (at) WITH (autosummarize = true);

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

-- What the journal remembers of one holder on one task: its newest fence, and whether it gave that up itself.
CREATE FUNCTION alai.memory_of(task bigint, actor text, session text) RETURNS TABLE (fence bigint, ended boolean)
LANGUAGE sql STABLE ROWS 1 AS $$
  SELECT g.fence, EXISTS (
      SELECT FROM alai.events e
      WHERE e.task = g.task AND e.actor = g.actor AND e.session = g.session AND e.seq > g.seq
        AND e.kind IN ('released', 'done', 'ready', 'paused', 'cancelled')
    )
  FROM alai.events g
  WHERE g.task = memory_of.task AND g.actor = memory_of.actor AND g.session = memory_of.session
    AND g.kind IN ('acquired', 'taken_over')
  ORDER BY g.seq DESC LIMIT 1
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
  { version: 3, name: "0003_leases", checksum: "8fe3de597bf16036fb18aeafa9e9fb6127dbadcc387c8a19a162a3f1a3e80910", breaking: false, text: `-- Lease verbs of many callers in one statement: one round trip and one commit. The rules are those of core/src/lease.ts, as far
-- as something is changed; every refusal is worded there, from the rows that come back, and each decision is checked.
-- All times here are milliseconds.

-- One task of one call.
CREATE TYPE alai.lease_answer AS (
  call int,
  verb text,
  task bigint,
  actor text,
  session text,
  -- The fence that the caller says it holds.
  asserted bigint,
  -- An earlier call of the batch has the task: it is only looked at.
  later boolean,
  -- The row as it was locked; no title: there is none.
  title text,
  status text,
  status_raw text,
  holder text,
  until bigint,
  ttl bigint,
  fence bigint,
  told bigint,
  -- Of a claim: what it waits for and is open.
  blockers bigint[],
  -- What the journal remembers of the caller, where that decides.
  my_fence bigint,
  my_end boolean,
  -- acquire, again, extend, release, already; null: no.
  act text,
  -- The length that was asked for.
  wanted bigint,
  new_until bigint,
  -- The journal tells of it: its place among the lines of the batch.
  line int,
  moment bigint
);

-- Takes the rows of tasks, and of what those that are claimed wait for: a blocker is not reopened before this commits. In the
-- order of their numbers, whoever asks, so that no two batches wait for each other. Gives the blockers.
CREATE FUNCTION alai.lock_leases(ids bigint[], claimed bigint[]) RETURNS bigint[]
LANGUAGE plpgsql VOLATILE
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
  blockers bigint[] := ARRAY(SELECT d.blocker FROM alai.dependencies d WHERE d.task = ANY (claimed));
  one record;
BEGIN
  IF blockers = '{}' THEN
    PERFORM FROM alai.tasks t WHERE t.id = ANY (ids) ORDER BY t.id FOR NO KEY UPDATE;
    RETURN blockers;
  END IF;
  FOR one IN
    SELECT u.id, bool_or(u.own) AS own
    FROM (SELECT unnest(ids) AS id, true AS own UNION ALL SELECT unnest(blockers), false) u
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

-- Locks, reads the clock, decides and writes, in this order. Each call is one or more tasks, all or none of them; the calls
-- come in the order of their numbers. skip: calls that are left out. locked: the blockers, where all rows are locked already.
-- rules: what an unset lease length counts as; the least time between two lines of the journal on renewals of one lease.
CREATE FUNCTION alai.take_leases(
  calls int[], verbs text[], ids bigint[], actors text[], sessions text[], ttls bigint[], fences bigint[], laters boolean[],
  rules bigint[], skip int[], locked bigint[]
) RETURNS SETOF alai.lease_answer
LANGUAGE plpgsql VOLATILE ROWS 50
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
DECLARE
  claimed bigint[] := CASE WHEN 'claim' = ANY (verbs) THEN ids ELSE '{}' END;
  blockers bigint[] := coalesce(locked, alai.lock_leases(ids, claimed));
  waiting bigint[];
  now_ms bigint;
  unfinished boolean;
  a alai.lease_answer;
  live boolean;
  writes alai.lease_answer[] := '{}';
  allowed alai.lease_answer[] := '{}';
  refused int[] := '{}';
  -- Some call has more than one task.
  several boolean := cardinality(ids) > calls[cardinality(calls)] + 1;
  lines int := 0;
  changed int;
  head_seq bigint;
  head_at timestamptz;
BEGIN
  SELECT alai.millis(date_trunc('milliseconds', greatest(clock_timestamp(), h.at))), h.restoring INTO now_ms, unfinished
  FROM alai.head h;
  IF unfinished THEN
    RAISE EXCEPTION 'this ledger is a copy that is not complete yet' USING ERRCODE = 'AL001';
  END IF;
  waiting := ARRAY(SELECT d.task FROM alai.dependencies d WHERE d.task = ANY (claimed));
  FOR a IN
    SELECT w.call, w.verb, w.task, w.actor, w.session, w.asserted, w.later, t.title, t.status, t.status_raw, t.lease_holder,
      alai.millis(t.lease_until), coalesce(nullif(t.lease_ttl, 0), rules[1]), t.lease_fence, alai.millis(t.lease_told),
      NULL, NULL, NULL, NULL, coalesce(w.asked, nullif(t.lease_ttl, 0), rules[1]), NULL, NULL, now_ms
    FROM unnest(calls, verbs, ids, actors, sessions, ttls, fences, laters)
      AS w (call, verb, task, actor, session, asked, asserted, later)
    LEFT JOIN alai.tasks t ON t.id = w.task
    WHERE w.call <> ALL (skip)
  LOOP
    live := a.holder IS NOT NULL AND (a.until IS NULL OR a.until > now_ms);
    IF a.title IS NULL THEN
      NULL;
    ELSIF a.verb = 'claim' THEN
      IF live THEN
        a.act := CASE WHEN a.holder = a.actor || ':' || a.session THEN 'again' END;
      ELSIF a.status IN ('open', 'ready') THEN
        IF a.task = ANY (waiting) THEN
          a.blockers := alai.open_blockers(a.task, blockers);
        END IF;
        a.act := CASE WHEN a.blockers IS NULL THEN 'acquire' END;
      END IF;
    ELSIF a.asserted <> a.fence THEN
      NULL;
    ELSIF a.holder = a.actor || ':' || a.session THEN
      a.act := CASE WHEN a.verb = 'release' THEN 'release' WHEN live THEN 'extend' END;
    ELSE
      SELECT m.fence, m.ended INTO a.my_fence, a.my_end FROM alai.memory_of(a.task, a.actor, a.session) m;
      a.act := CASE
        WHEN a.verb = 'release' AND a.holder IS NULL AND a.my_fence = a.fence AND a.fence > 0 THEN 'already' END;
    END IF;
    IF a.act = 'acquire' THEN
      a.new_until := now_ms + a.wanted;
    ELSIF a.act IN ('again', 'extend') THEN
      a.new_until := greatest(a.until, now_ms + a.wanted);
    END IF;
    IF a.act IS NULL OR a.later THEN
      refused := refused || a.call;
    ELSIF a.act <> 'already' THEN
      IF a.act IN ('acquire', 'release') OR now_ms - coalesce(a.told, 0) >= rules[2] THEN
        lines := lines + 1;
        a.line := lines;
      END IF;
      writes := writes || a;
    END IF;
    RETURN NEXT a;
  END LOOP;
  IF several AND cardinality(refused) > 0 THEN
    lines := 0;
    FOREACH a IN ARRAY writes LOOP
      IF a.call <> ALL (refused) THEN
        IF a.line IS NOT NULL THEN
          lines := lines + 1;
          a.line := lines;
        END IF;
        allowed := allowed || a;
      END IF;
    END LOOP;
    writes := allowed;
  END IF;
  IF cardinality(writes) = 0 THEN
    RETURN;
  END IF;
  UPDATE alai.tasks t SET
    lease_holder = CASE WHEN w.act <> 'release' THEN w.actor || ':' || w.session END,
    lease_until = alai.from_millis(w.new_until),
    lease_ttl = CASE w.act WHEN 'acquire' THEN w.wanted WHEN 'again' THEN greatest(w.wanted, w.ttl) WHEN 'extend' THEN w.wanted END,
    lease_told = CASE WHEN w.line IS NULL THEN t.lease_told ELSE alai.from_millis(now_ms) END,
    lease_fence = t.lease_fence + (w.act = 'acquire')::int,
    attempts = t.attempts + (w.act = 'acquire')::int
  FROM unnest(writes) w
  WHERE t.id = w.task AND t.lease_fence = w.fence AND t.lease_holder IS NOT DISTINCT FROM w.holder;
  GET DIAGNOSTICS changed = ROW_COUNT;
  IF changed <> cardinality(writes) THEN
    RAISE EXCEPTION '% of % leases moved under their locks', cardinality(writes) - changed, cardinality(writes);
  END IF;
  IF lines = 0 THEN
    RETURN;
  END IF;
  -- The journal last: from here to the commit every other writer waits.
  UPDATE alai.head h SET seq = h.seq + lines, at = greatest(h.at, alai.from_millis(now_ms))
  RETURNING h.seq - lines, h.at INTO head_seq, head_at;
  INSERT INTO alai.events (seq, task, kind, at, actor, session, fence, data)
  SELECT head_seq + w.line, w.task,
    CASE
      WHEN w.act = 'release' THEN 'released'
      WHEN w.act <> 'acquire' THEN 'renewed'
      WHEN w.holder IS NULL THEN 'acquired'
      ELSE 'taken_over'
    END,
    head_at, w.actor, w.session, w.fence + (w.act = 'acquire')::int,
    CASE
      WHEN w.act = 'release' THEN NULL
      WHEN w.act = 'acquire' AND w.holder IS NOT NULL THEN json_build_object('ttl', w.wanted, 'until', w.new_until,
        'prev_holder', w.holder, 'prev_until', w.until, 'prev_fence', w.fence)
      ELSE json_build_object('ttl', w.wanted, 'until', w.new_until)
    END
  FROM unnest(writes) w WHERE w.line IS NOT NULL;
END
$$;

-- What a task waits for and is open; null when nothing is. One that was deleted blocks nothing.
CREATE FUNCTION alai.open_blockers(waiter bigint, locked bigint[]) RETURNS bigint[] LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  blockers bigint[];
  between boolean;
BEGIN
  SELECT array_agg(d.blocker ORDER BY d.blocker) FILTER (WHERE b.status NOT IN ('done', 'cancelled')),
    bool_or(d.blocker <> ALL (locked))
  INTO blockers, between
  FROM alai.dependencies d LEFT JOIN alai.tasks b ON b.id = d.blocker WHERE d.task = waiter;
  IF between THEN
    RAISE EXCEPTION 'a dependency came between' USING ERRCODE = 'serialization_failure';
  END IF;
  RETURN blockers;
END
$$;

-- Calls that are not to be run now, with what is known under their key: {} while another transaction is at work under it, else
-- what it was answered. Calls without a key have null. memory: how long an answer is good.
CREATE FUNCTION alai.find_requests(calls int[], actors text[], keys text[], memory bigint)
RETURNS TABLE (call int, known json)
LANGUAGE plpgsql VOLATILE ROWS 10
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
AS $$
#variable_conflict use_column
DECLARE
  now_ms bigint := alai.millis(alai.moment());
  busy int[] := ARRAY(
    SELECT k.call FROM unnest(calls, actors, keys) AS k (call, actor, key)
    WHERE k.key IS NOT NULL AND NOT alai.lock_request(k.actor, k.key)
  );
BEGIN
  RETURN QUERY
  SELECT k.call, json_build_object('fingerprint', r.fingerprint, 'at', alai.millis(r.at), 'answer', r.answer, 'moment', now_ms)
  FROM unnest(calls, actors, keys) AS k (call, actor, key)
  CROSS JOIN LATERAL (
    -- Looked up one by one, however few there were when this was planned.
    SELECT * FROM alai.requests r WHERE r.subject = k.actor AND r.key = k.key OFFSET 0
  ) r
  WHERE k.key IS NOT NULL AND alai.millis(r.at) > now_ms - memory AND k.call <> ALL (busy);
  RETURN QUERY SELECT b.call, '{}'::json FROM unnest(busy) AS b (call);
END
$$;

-- As take_leases, with a key and a fingerprint for each task's call, or null: what was made before is not made again. rules has
-- a third: how long an answer is good.
CREATE FUNCTION alai.take_leases_once(
  calls int[], verbs text[], ids bigint[], actors text[], sessions text[], ttls bigint[], fences bigint[], laters boolean[],
  rules bigint[], keys text[], fingerprints text[]
) RETURNS TABLE (call int, answer alai.lease_answer, known json)
LANGUAGE plpgsql VOLATILE ROWS 50 AS $$
#variable_conflict use_column
DECLARE
  skip int[] := '{}';
  kept alai.lease_answer[] := '{}';
  refused int[] := '{}';
  one record;
BEGIN
  FOR one IN SELECT * FROM alai.find_requests(calls, actors, keys, rules[3]) LOOP
    call := one.call;
    known := one.known;
    skip := skip || one.call;
    RETURN NEXT;
  END LOOP;
  known := NULL;
  FOR answer IN SELECT * FROM alai.take_leases(calls, verbs, ids, actors, sessions, ttls, fences, laters, rules, skip, NULL) LOOP
    call := answer.call;
    RETURN NEXT;
    IF answer.act IS NULL OR answer.later THEN
      refused := refused || call;
    ELSE
      kept := kept || answer;
    END IF;
  END LOOP;
  INSERT INTO alai.requests (subject, key, at, fingerprint, answer)
  SELECT min(k.actor COLLATE "C"), min(k.key COLLATE "C"), alai.from_millis(min(a.moment)), min(k.fingerprint COLLATE "C"),
    json_build_object('verb', min(a.verb), 'tasks', json_agg(row_to_json(a)))
  FROM unnest(kept) a
  JOIN unnest(calls, ids, actors, keys, fingerprints) AS k (call, task, actor, key, fingerprint)
    ON k.call = a.call AND k.task = a.task
  WHERE k.key IS NOT NULL AND a.call <> ALL (refused)
  GROUP BY a.call
  ON CONFLICT (subject, key) DO UPDATE SET at = excluded.at, fingerprint = excluded.fingerprint, answer = excluded.answer;
END
$$;

-- Keeps the answer of the nth call, if it has a key.
CREATE FUNCTION alai.keep_next(
  actors text[], keys text[], fingerprints text[], n int, answer alai.lease_answer, task json, ready bigint
) RETURNS void LANGUAGE sql VOLATILE AS $$
  INSERT INTO alai.requests (subject, key, at, fingerprint, answer)
  SELECT actors[n], keys[n], alai.from_millis((answer).moment), fingerprints[n], json_build_object(
    'verb', 'next', 'tasks', json_build_array(json_build_object('answer', answer, 'task', task, 'ready', ready)))
  WHERE keys[n] IS NOT NULL
  ON CONFLICT (subject, key) DO UPDATE SET at = excluded.at, fingerprint = excluded.fingerprint, answer = excluded.answer
$$;

-- The next tasks that meet a condition over \`t\` ($1: the moment), one for each call, in the order of the calls; keys and
-- fingerprints as in take_leases_once. Gives a row for each call. Without a task: nothing was ready or, when \`again\`, others were
-- quicker. Else what take_leases gives, the task's row as it was, and how many were ready, this one included.
-- ahead: what the last row of an earlier call with this condition gave, or null: {"seq", "until", "ready", "ids"}, the tasks that
-- come first (as many as are asked for now) at the journal's end \`seq\` until the moment \`until\`, when the first lease runs out or
-- the first task is put off no longer. While both hold nothing is searched or counted. The last row has a new one and no call;
-- its ids are null when those of before go on, without the ones that were taken.
CREATE FUNCTION alai.claim_next(
  condition text, calls int[], actors text[], sessions text[], ttls bigint[], rules bigint[], keys text[],
  fingerprints text[], ahead json
) RETURNS TABLE (call int, again boolean, answer alai.lease_answer, task json, ready bigint, known json)
LANGUAGE plpgsql VOLATILE
SET plan_cache_mode = force_generic_plan
AS $$
#variable_conflict use_column
DECLARE
  pick text := format(
    'ARRAY(SELECT t.id FROM alai.tasks t WHERE %s ORDER BY coalesce(t.priority, 2), t.due, t.id LIMIT $2)', condition);
  -- How many there are, and when the next may be: any open task's lease that runs out, whatever else the condition says.
  census text := format(
    'SELECT count(*) FILTER (WHERE %s), min(alai.millis(least('
    || 'CASE WHEN t.lease_until > $1 THEN t.lease_until END, CASE WHEN t.deferred_until > $1 THEN t.deferred_until END))) '
    || 'FROM alai.tasks t WHERE t.status IN (''open'', ''ready'')', condition);
  most int;
  -- Beyond those that are taken now, for the calls after this one.
  spare int := 1000;
  first bigint[];
  chosen bigint[];
  held bigint[];
  counted bigint;
  good_until bigint;
  at_seq bigint;
  moment timestamptz;
  sure int;
  lines int := 0;
  searched boolean := false;
  answered int[] := '{}';
  one record;
BEGIN
  IF keys IS NOT NULL THEN
    FOR call, known IN SELECT f.call, f.known FROM alai.find_requests(calls, actors, keys, rules[3]) f LOOP
      RETURN NEXT;
      answered := answered || call;
    END LOOP;
    known := NULL;
    IF cardinality(answered) > 0 THEN
      SELECT coalesce(array_agg(w.call), '{}'), array_agg(w.actor), array_agg(w.session), array_agg(w.ttl), array_agg(w.key),
        array_agg(w.fingerprint)
      INTO calls, actors, sessions, ttls, keys, fingerprints
      FROM unnest(calls, actors, sessions, ttls, keys, fingerprints) WITH ORDINALITY
        AS w (call, actor, session, ttl, key, fingerprint, n)
      WHERE w.call <> ALL (answered);
    END IF;
  END IF;
  most := cardinality(calls);
  IF most = 0 THEN
    RETURN;
  END IF;
  -- Look, lock what was seen, and look again: what stands first then and is locked is first in truth.
  first := ARRAY(SELECT a.value::bigint FROM json_array_elements_text(ahead -> 'ids') WITH ORDINALITY AS a (value, n) ORDER BY a.n);
  IF cardinality(first) >= least(most, (ahead ->> 'ready')::bigint) THEN
    chosen := first[:most];
  ELSE
    EXECUTE 'SELECT ' || pick INTO chosen USING alai.moment(), most;
  END IF;
  held := chosen;
  PERFORM alai.lock_leases(chosen, chosen);
  FOR round IN 1..3 LOOP
    SELECT h.seq, date_trunc('milliseconds', greatest(clock_timestamp(), h.at)) INTO at_seq, moment FROM alai.head h;
    IF round = 1 AND at_seq = (ahead ->> 'seq')::bigint AND alai.millis(moment) < coalesce((ahead ->> 'until')::bigint, 'infinity'::float8)
      AND chosen = first[:most] THEN
      counted := (ahead ->> 'ready')::bigint;
      good_until := (ahead ->> 'until')::bigint;
      EXIT;
    END IF;
    -- All in one statement: of one moment.
    searched := true;
    EXECUTE 'SELECT ' || pick || ', s.*, h.seq FROM (' || census || ') s, alai.head h'
      INTO first, counted, good_until, at_seq USING moment, most + spare;
    chosen := first[:most];
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
  IF sure > 0 THEN
    FOR one IN
      SELECT l.call, l AS lease, (SELECT row_to_json(r) FROM alai.task_rows r WHERE r.id = l.task) AS task
      FROM alai.take_leases(
        calls[:sure], array_fill('claim'::text, ARRAY[sure]), chosen[:sure], actors[:sure], sessions[:sure], ttls[:sure],
        array_fill(NULL::bigint, ARRAY[sure]), array_fill(false, ARRAY[sure]), rules, '{}', NULL) l
    LOOP
      call := one.call;
      answer := one.lease;
      again := answer.act IS DISTINCT FROM 'acquire';
      IF again THEN
        answer := NULL;
        task := NULL;
      ELSE
        task := one.task;
        ready := counted - lines;
        lines := lines + 1;
        good_until := least(good_until, answer.new_until);
        IF keys IS NOT NULL THEN
          PERFORM alai.keep_next(actors, keys, fingerprints, array_position(calls, call), answer, task, ready);
        END IF;
      END IF;
      RETURN NEXT;
    END LOOP;
  END IF;
  answer := NULL;
  task := NULL;
  -- The others found nothing; or what they would have got is held by somebody for a moment.
  again := sure < cardinality(chosen);
  FOREACH call IN ARRAY calls[sure + 1:] LOOP
    RETURN NEXT;
  END LOOP;
  -- Only if nobody's lines came between what was seen and ours do the others still stand where they stood.
  IF lines = sure AND (SELECT h.seq FROM alai.head h) = at_seq + lines THEN
    call := NULL;
    known := json_build_object('seq', at_seq + lines, 'until', good_until, 'ready', counted - lines,
      'ids', CASE WHEN searched THEN first[sure + 1:] END);
    RETURN NEXT;
  END IF;
END
$$;
` },
];
