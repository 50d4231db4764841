-- What the migrations come to. Made by packaging/schema.ts: `npm run schema`.

CREATE TYPE alai.lease_answer AS (
  call integer,
  verb text,
  task bigint,
  actor text,
  session text,
  asserted bigint,
  later boolean,
  title text,
  status text,
  status_raw text,
  holder text,
  until bigint,
  ttl bigint,
  fence bigint,
  told bigint,
  blockers bigint[],
  my_fence bigint,
  my_end boolean,
  act text,
  wanted bigint,
  new_until bigint,
  line integer,
  moment bigint
);

CREATE TABLE alai.audit (
  seq bigint NOT NULL,
  at timestamp with time zone NOT NULL,
  subject text,
  action text NOT NULL,
  target text,
  outcome text NOT NULL,
  address text,
  request_id text,
  detail jsonb NOT NULL,
  hash text NOT NULL
);

CREATE TABLE alai.audit_head (
  one boolean NOT NULL DEFAULT true,
  seq bigint NOT NULL,
  hash text NOT NULL
);

CREATE TABLE alai.dependencies (
  task bigint NOT NULL,
  blocker bigint NOT NULL
);

CREATE TABLE alai.events (
  seq bigint NOT NULL,
  task bigint,
  kind text COLLATE "C" NOT NULL,
  at timestamp(3) with time zone NOT NULL,
  actor text COLLATE "C" NOT NULL,
  session text COLLATE "C" NOT NULL,
  fence bigint,
  data json
);

CREATE TABLE alai.evidence (
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  task bigint NOT NULL,
  path text COLLATE "C" NOT NULL,
  sha256 text COLLATE "C" NOT NULL,
  size bigint NOT NULL
);

CREATE TABLE alai.head (
  one boolean NOT NULL DEFAULT true,
  ledger text COLLATE "C" NOT NULL,
  seq bigint NOT NULL,
  at timestamp(3) with time zone NOT NULL,
  task bigint NOT NULL,
  pruned bigint NOT NULL,
  restoring boolean NOT NULL
) WITH (fillfactor=10, autovacuum_vacuum_scale_factor=0, autovacuum_vacuum_threshold=500, autovacuum_vacuum_cost_delay=0);

CREATE TABLE alai.migrations (
  version integer NOT NULL,
  name text NOT NULL,
  checksum text NOT NULL,
  breaking boolean NOT NULL,
  at timestamp(3) with time zone NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE alai.requests (
  subject text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  at timestamp(3) with time zone NOT NULL,
  fingerprint text COLLATE "C" NOT NULL,
  answer json NOT NULL
);

CREATE TABLE alai.tasks (
  id bigint NOT NULL,
  lease_fence bigint NOT NULL DEFAULT 0,
  attempts bigint NOT NULL DEFAULT 0,
  version bigint NOT NULL DEFAULT 1,
  status text COLLATE "C" NOT NULL DEFAULT 'open'::text,
  lease_until timestamp(3) with time zone,
  deferred_until timestamp(3) with time zone,
  lease_holder text COLLATE "C",
  due timestamp(3) with time zone,
  priority smallint DEFAULT 2,
  lease_ttl bigint,
  lease_told timestamp(3) with time zone,
  title text COLLATE "C" NOT NULL,
  status_raw text COLLATE "C",
  priority_raw text COLLATE "C",
  project text COLLATE "C",
  owner text COLLATE "C",
  parent bigint,
  dedup_key text COLLATE "C",
  created_at timestamp(3) with time zone,
  updated_at timestamp(3) with time zone,
  done_at timestamp(3) with time zone,
  tags text[] COLLATE "C" NOT NULL DEFAULT '{}'::text[],
  description text COLLATE "C",
  extra json
) WITH (fillfactor=75, autovacuum_vacuum_scale_factor=0.05, autovacuum_analyze_scale_factor=0.05);

CREATE TABLE alai.tokens (
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  name text NOT NULL,
  hash text NOT NULL,
  scopes text[] NOT NULL,
  actor text NOT NULL,
  may_act_for_others boolean NOT NULL,
  created_at timestamp with time zone NOT NULL,
  expires_at timestamp with time zone,
  revoked_at timestamp with time zone,
  last_used timestamp with time zone
);

ALTER TABLE alai.audit ADD CONSTRAINT audit_pkey PRIMARY KEY (seq);

ALTER TABLE alai.audit_head ADD CONSTRAINT audit_head_one_check CHECK (one);

ALTER TABLE alai.audit_head ADD CONSTRAINT audit_head_pkey PRIMARY KEY (one);

ALTER TABLE alai.dependencies ADD CONSTRAINT dependencies_pkey PRIMARY KEY (task, blocker);

ALTER TABLE alai.events ADD CONSTRAINT events_pkey PRIMARY KEY (seq);

ALTER TABLE alai.evidence ADD CONSTRAINT evidence_pkey PRIMARY KEY (id);

ALTER TABLE alai.head ADD CONSTRAINT head_one_check CHECK (one);

ALTER TABLE alai.head ADD CONSTRAINT head_pkey PRIMARY KEY (one);

ALTER TABLE alai.migrations ADD CONSTRAINT migrations_pkey PRIMARY KEY (version);

ALTER TABLE alai.requests ADD CONSTRAINT requests_pkey PRIMARY KEY (subject, key);

ALTER TABLE alai.tasks ADD CONSTRAINT tasks_pkey PRIMARY KEY (id);

ALTER TABLE alai.tokens ADD CONSTRAINT tokens_hash_key UNIQUE (hash);

ALTER TABLE alai.tokens ADD CONSTRAINT tokens_pkey PRIMARY KEY (id);

CREATE INDEX dependencies_blocker ON alai.dependencies USING btree (blocker);

CREATE INDEX events_imported ON alai.events USING btree (seq) WHERE (kind = 'imported'::text);

CREATE INDEX events_task ON alai.events USING btree (task, seq);

CREATE INDEX events_undoable ON alai.events USING btree (actor, session, seq) WHERE (kind = ANY (ARRAY['added'::text, 'edited'::text, 'done'::text, 'ready'::text, 'paused'::text, 'reopened'::text, 'cancelled'::text, 'dep_added'::text, 'dep_removed'::text]));

CREATE INDEX evidence_task ON alai.evidence USING btree (task, id);

CREATE INDEX requests_at ON alai.requests USING brin (at) WITH (autosummarize='true');

CREATE UNIQUE INDEX tasks_dedup_key ON alai.tasks USING btree (dedup_key) WHERE (dedup_key IS NOT NULL);

CREATE INDEX tasks_parent ON alai.tasks USING btree (parent) WHERE (parent IS NOT NULL);

CREATE INDEX tasks_urgency ON alai.tasks USING btree (COALESCE((priority)::integer, 2), due, id) WHERE (status = ANY (ARRAY['open'::text, 'ready'::text]));

CREATE UNIQUE INDEX tokens_name ON alai.tokens USING btree (name) WHERE (revoked_at IS NULL);

CREATE VIEW alai.task_rows AS
 SELECT id,
    lease_fence,
    attempts,
    version,
    status,
    lease_until,
    deferred_until,
    lease_holder,
    due,
    priority,
    lease_ttl,
    lease_told,
    title,
    status_raw,
    priority_raw,
    project,
    owner,
    parent,
    dedup_key,
    created_at,
    updated_at,
    done_at,
    tags,
    description,
    extra,
    ARRAY( SELECT d.blocker
           FROM alai.dependencies d
          WHERE (d.task = t.id)
          ORDER BY d.blocker) AS blocked_by,
    ( SELECT json_agg(json_build_object('path', e.path, 'sha256', e.sha256, 'size', e.size) ORDER BY e.id) AS json_agg
           FROM alai.evidence e
          WHERE (e.task = t.id)) AS evidence
   FROM alai.tasks t;

CREATE OR REPLACE FUNCTION alai.append(drafts json, moment timestamp with time zone, OUT last bigint, OUT at timestamp with time zone)
 RETURNS record
 LANGUAGE plpgsql
AS $function$
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
$function$;

CREATE OR REPLACE FUNCTION alai.claim_next(condition text, calls integer[], actors text[], sessions text[], ttls bigint[], rules bigint[], keys text[], fingerprints text[], ahead json)
 RETURNS TABLE(call integer, again boolean, answer alai.lease_answer, task json, ready bigint, known json)
 LANGUAGE plpgsql
 SET plan_cache_mode TO 'force_generic_plan'
AS $function$
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
$function$;

CREATE OR REPLACE FUNCTION alai.find_requests(calls integer[], actors text[], keys text[], memory bigint)
 RETURNS TABLE(call integer, known json)
 LANGUAGE plpgsql
 ROWS 10
 SET plan_cache_mode TO 'force_generic_plan'
 SET enable_seqscan TO 'off'
 SET enable_bitmapscan TO 'off'
AS $function$
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
$function$;

CREATE OR REPLACE FUNCTION alai.forward_only()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  IF NEW.seq <= OLD.seq THEN
    RAISE EXCEPTION 'the audit is append-only' USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN NEW;
END
$function$;

CREATE OR REPLACE FUNCTION alai.from_millis(ms bigint)
 RETURNS timestamp with time zone
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
AS $function$
  SELECT to_timestamp(ms::double precision / 1000)
$function$;

CREATE OR REPLACE FUNCTION alai.keep_next(actors text[], keys text[], fingerprints text[], n integer, answer alai.lease_answer, task json, ready bigint)
 RETURNS void
 LANGUAGE sql
AS $function$
  INSERT INTO alai.requests (subject, key, at, fingerprint, answer)
  SELECT actors[n], keys[n], alai.from_millis((answer).moment), fingerprints[n], json_build_object(
    'verb', 'next', 'tasks', json_build_array(json_build_object('answer', answer, 'task', task, 'ready', ready)))
  WHERE keys[n] IS NOT NULL
  ON CONFLICT (subject, key) DO UPDATE SET at = excluded.at, fingerprint = excluded.fingerprint, answer = excluded.answer
$function$;

CREATE OR REPLACE FUNCTION alai.lock_graph()
 RETURNS void
 LANGUAGE sql
AS $function$
  SELECT pg_advisory_xact_lock(hashtextextended('alai.graph', 0))
$function$;

CREATE OR REPLACE FUNCTION alai.lock_leases(ids bigint[], claimed bigint[])
 RETURNS bigint[]
 LANGUAGE plpgsql
 SET plan_cache_mode TO 'force_generic_plan'
AS $function$
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
$function$;

CREATE OR REPLACE FUNCTION alai.lock_request(subject text, key text)
 RETURNS boolean
 LANGUAGE sql
AS $function$
  SELECT pg_try_advisory_xact_lock(hashtextextended(key, hashtextextended(subject, 0)))
$function$;

CREATE OR REPLACE FUNCTION alai.memory_of(task bigint, actor text, session text)
 RETURNS TABLE(fence bigint, ended boolean)
 LANGUAGE sql
 STABLE ROWS 1
AS $function$
  SELECT g.fence, EXISTS (
      SELECT FROM alai.events e
      WHERE e.task = g.task AND e.actor = g.actor AND e.session = g.session AND e.seq > g.seq
        AND e.kind IN ('released', 'done', 'ready', 'paused', 'cancelled')
    )
  FROM alai.events g
  WHERE g.task = memory_of.task AND g.actor = memory_of.actor AND g.session = memory_of.session
    AND g.kind IN ('acquired', 'taken_over')
  ORDER BY g.seq DESC LIMIT 1
$function$;

CREATE OR REPLACE FUNCTION alai.millis(at timestamp with time zone)
 RETURNS bigint
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$
  SELECT (date_part('epoch', at) * 1000)::bigint
$function$;

CREATE OR REPLACE FUNCTION alai.moment()
 RETURNS timestamp with time zone
 LANGUAGE sql
AS $function$
  SELECT date_trunc('milliseconds', greatest(clock_timestamp(), (SELECT h.at FROM alai.head h)))
$function$;

CREATE OR REPLACE FUNCTION alai.open_blockers(waiter bigint, locked bigint[])
 RETURNS bigint[]
 LANGUAGE plpgsql
AS $function$
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
$function$;

CREATE OR REPLACE FUNCTION alai.read_moment()
 RETURNS timestamp with time zone
 LANGUAGE sql
 STABLE
AS $function$
  SELECT date_trunc('milliseconds', greatest(now(), (SELECT h.at FROM alai.head h)))
$function$;

CREATE OR REPLACE FUNCTION alai.refuse_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
BEGIN
  RAISE EXCEPTION 'the audit is append-only' USING ERRCODE = 'insufficient_privilege';
END
$function$;

CREATE OR REPLACE FUNCTION alai.take_leases(calls integer[], verbs text[], ids bigint[], actors text[], sessions text[], ttls bigint[], fences bigint[], laters boolean[], rules bigint[], skip integer[], locked bigint[])
 RETURNS SETOF alai.lease_answer
 LANGUAGE plpgsql
 ROWS 50
 SET plan_cache_mode TO 'force_generic_plan'
 SET enable_seqscan TO 'off'
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
AS $function$
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
$function$;

CREATE OR REPLACE FUNCTION alai.take_leases_once(calls integer[], verbs text[], ids bigint[], actors text[], sessions text[], ttls bigint[], fences bigint[], laters boolean[], rules bigint[], keys text[], fingerprints text[])
 RETURNS TABLE(call integer, answer alai.lease_answer, known json)
 LANGUAGE plpgsql
 ROWS 50
AS $function$
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
$function$;

CREATE TRIGGER audit_no_change BEFORE DELETE OR UPDATE ON alai.audit FOR EACH ROW EXECUTE FUNCTION alai.refuse_change();

CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON alai.audit FOR EACH STATEMENT EXECUTE FUNCTION alai.refuse_change();

CREATE TRIGGER audit_head_forward BEFORE UPDATE ON alai.audit_head FOR EACH ROW EXECUTE FUNCTION alai.forward_only();

CREATE TRIGGER audit_head_no_delete BEFORE DELETE ON alai.audit_head FOR EACH ROW EXECUTE FUNCTION alai.refuse_change();

CREATE TRIGGER audit_head_no_truncate BEFORE TRUNCATE ON alai.audit_head FOR EACH STATEMENT EXECUTE FUNCTION alai.refuse_change();
