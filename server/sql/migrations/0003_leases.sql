-- Lease verbs of many callers in one statement: one round trip and one commit. The rules are those of core/src/lease.ts, as far
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

-- The next tasks that meet a condition over `t` ($1: the moment), one for each call, in the order of the calls; keys and
-- fingerprints as in take_leases_once. Gives a row for each call. Without a task: nothing was ready or, when `again`, others were
-- quicker. Else what take_leases gives, the task's row as it was, and how many were ready, this one included.
-- ahead: what the last row of an earlier call with this condition gave, or null: {"seq", "until", "ready", "ids"}, the tasks that
-- come first (as many as are asked for now) at the journal's end `seq` until the moment `until`, when the first lease runs out or
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
