-- The ledger: tasks, what they wait for, their evidence, the journal with its head, and answers kept for retries.
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
-- What `next` hands out first.
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
