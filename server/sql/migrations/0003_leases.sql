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
  -- The journal tells of it.
  tells boolean,
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

-- Writes what was decided: the rows first, the journal last.
CREATE FUNCTION alai.write_leases(writes alai.lease_answer[]) RETURNS void
LANGUAGE plpgsql VOLATILE
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
DECLARE
  changed int;
  lines int;
  head record;
BEGIN
  UPDATE alai.tasks t SET
    lease_holder = CASE WHEN w.act <> 'release' THEN w.actor || ':' || w.session END,
    lease_until = alai.from_millis(w.new_until),
    lease_ttl = CASE w.act WHEN 'acquire' THEN w.wanted WHEN 'again' THEN greatest(w.wanted, w.ttl) WHEN 'extend' THEN w.wanted END,
    lease_told = CASE WHEN w.tells THEN alai.from_millis(w.moment) ELSE t.lease_told END,
    lease_fence = t.lease_fence + (w.act = 'acquire')::int,
    attempts = t.attempts + (w.act = 'acquire')::int
  FROM unnest(writes) w
  WHERE t.id = w.task AND t.lease_fence = w.fence AND t.lease_holder IS NOT DISTINCT FROM w.holder;
  GET DIAGNOSTICS changed = ROW_COUNT;
  IF changed <> cardinality(writes) THEN
    RAISE EXCEPTION '% of % leases moved under their locks', cardinality(writes) - changed, cardinality(writes);
  END IF;
  lines := (SELECT count(*) FROM unnest(writes) w WHERE w.tells);
  IF lines = 0 THEN
    RETURN;
  END IF;
  UPDATE alai.head h SET seq = h.seq + lines, at = greatest(h.at, alai.from_millis(writes[1].moment))
  RETURNING h.seq, h.at INTO head;
  INSERT INTO alai.events (seq, task, kind, at, actor, session, fence, data)
  SELECT head.seq - lines + row_number() OVER (), w.task,
    CASE
      WHEN w.act = 'release' THEN 'released'
      WHEN w.act <> 'acquire' THEN 'renewed'
      WHEN w.holder IS NULL THEN 'acquired'
      ELSE 'taken_over'
    END,
    head.at, w.actor, w.session, w.fence + (w.act = 'acquire')::int,
    CASE
      WHEN w.act = 'release' THEN NULL
      WHEN w.act = 'acquire' AND w.holder IS NOT NULL THEN json_build_object('ttl', w.wanted, 'until', w.new_until,
        'prev_holder', w.holder, 'prev_until', w.until, 'prev_fence', w.fence)
      ELSE json_build_object('ttl', w.wanted, 'until', w.new_until)
    END
  FROM unnest(writes) w WHERE w.tells;
END
$$;

-- Locks, reads the clock, decides and writes, in this order. Each call is one or more tasks, all or none of them; the calls
-- come in the order of their numbers. skip: calls that are left out.
-- rules: what an unset lease length counts as; the least time between two lines of the journal on renewals of one lease.
CREATE FUNCTION alai.take_leases(
  calls int[], verbs text[], ids bigint[], actors text[], sessions text[], ttls bigint[], fences bigint[], laters boolean[],
  rules bigint[], skip int[]
) RETURNS SETOF alai.lease_answer
LANGUAGE plpgsql VOLATILE ROWS 50
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
DECLARE
  claimed bigint[] := CASE WHEN 'claim' = ANY (verbs) THEN ids ELSE '{}' END;
  locked bigint[] := alai.lock_leases(ids, claimed);
  waiting bigint[];
  now_ms bigint;
  unfinished boolean;
  a alai.lease_answer;
  live boolean;
  writes alai.lease_answer[] := '{}';
  refused int[] := '{}';
  -- Some call has more than one task.
  several boolean := cardinality(ids) > calls[cardinality(calls)] + 1;
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
          a.blockers := alai.open_blockers(a.task, locked);
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
      a.tells := true;
    ELSIF a.act IN ('again', 'extend') THEN
      a.new_until := greatest(a.until, now_ms + a.wanted);
      a.tells := now_ms - coalesce(a.told, 0) >= rules[2];
    ELSE
      a.tells := a.act = 'release';
    END IF;
    RETURN NEXT a;
    IF a.act IS NULL OR a.later THEN
      refused := refused || a.call;
    ELSIF a.act <> 'already' THEN
      writes := writes || a;
    END IF;
  END LOOP;
  IF several AND refused <> '{}' THEN
    writes := ARRAY(SELECT w FROM unnest(writes) w WHERE w.call <> ALL (refused));
  END IF;
  IF cardinality(writes) > 0 THEN
    PERFORM alai.write_leases(writes);
  END IF;
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
  FOR answer IN SELECT * FROM alai.take_leases(calls, verbs, ids, actors, sessions, ttls, fences, laters, rules, skip) LOOP
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

-- The next tasks that meet a condition over `t` ($1: the moment), one for each call, in the order of the calls; keys and
-- fingerprints as in take_leases_once. Gives a row for each call. Without a task: nothing was ready or, when `again`, others were
-- quicker. Else what take_leases gives, the task's row as it was, and how many were ready, this one included.
CREATE FUNCTION alai.claim_next(
  condition text, calls int[], actors text[], sessions text[], ttls bigint[], rules bigint[], keys text[], fingerprints text[]
) RETURNS TABLE (call int, again boolean, answer alai.lease_answer, task json, ready bigint, known json)
LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
  pick text := format(
    'ARRAY(SELECT t.id FROM alai.tasks t WHERE %s ORDER BY coalesce(t.priority, 2), t.due, t.id LIMIT $2)', condition);
  total text := format('(SELECT count(*) FROM alai.tasks t WHERE %s)', condition);
  most int;
  chosen bigint[];
  held bigint[];
  counted bigint;
  sure int;
  one record;
BEGIN
  IF keys IS NOT NULL THEN
    FOR one IN SELECT * FROM alai.find_requests(calls, actors, keys, rules[3]) LOOP
      call := one.call;
      known := one.known;
      RETURN NEXT;
      -- Calls are numbered from 0; without its number one is not waiting any more.
      calls[one.call + 1] := NULL;
    END LOOP;
    known := NULL;
  END IF;
  most := cardinality(array_remove(calls, NULL));
  IF most = 0 THEN
    RETURN;
  END IF;
  -- Look, lock what was seen, and look again: what stands first then and is locked is first in truth.
  EXECUTE 'SELECT ' || pick INTO chosen USING alai.moment(), most;
  held := chosen;
  PERFORM alai.lock_leases(chosen, chosen);
  FOR round IN 1..3 LOOP
    EXECUTE 'SELECT ' || pick || ', ' || total INTO chosen, counted USING alai.moment(), most;
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
  FOR one IN
    WITH asking AS (
      SELECT w.*, row_number() OVER (ORDER BY w.call) AS n
      FROM unnest(calls, actors, sessions, ttls, keys, fingerprints) AS w (call, actor, session, ttl, key, fingerprint)
      WHERE w.call IS NOT NULL
    ), taken AS MATERIALIZED (
      SELECT l.* FROM (
        SELECT array_agg(w.call ORDER BY w.n) AS calls, array_agg('claim'::text) AS verbs, chosen[:sure] AS ids,
          array_agg(w.actor ORDER BY w.n) AS actors, array_agg(w.session ORDER BY w.n) AS sessions,
          array_agg(w.ttl ORDER BY w.n) AS ttls, array_agg(NULL::bigint) AS fences, array_agg(false) AS laters
        FROM asking w WHERE w.n <= sure
      ) x
      CROSS JOIN LATERAL alai.take_leases(
        x.calls, x.verbs, x.ids, x.actors, x.sessions, x.ttls, x.fences, x.laters, rules, '{}') l
      WHERE sure > 0
    ), answered AS MATERIALIZED (
      SELECT w.call, w.n, l AS lease, l.act AS act, l.task AS id, w.key, w.actor, w.fingerprint, row_to_json(r) AS task,
        counted - array_position(chosen, l.task) + 1 AS ready
      FROM asking w
      LEFT JOIN taken l ON l.call = w.call
      LEFT JOIN alai.task_rows r ON r.id = l.task
    ), kept AS (
      INSERT INTO alai.requests (subject, key, at, fingerprint, answer)
      SELECT a.actor, a.key, alai.moment(), a.fingerprint, json_build_object(
        'verb', 'next', 'tasks', json_build_array(json_build_object('answer', a.lease, 'task', a.task, 'ready', a.ready)))
      FROM answered a WHERE a.key IS NOT NULL AND a.act = 'acquire'
      ON CONFLICT (subject, key) DO UPDATE SET at = excluded.at, fingerprint = excluded.fingerprint, answer = excluded.answer
    )
    SELECT * FROM answered a ORDER BY a.n
  LOOP
    call := one.call;
    again := one.act IS DISTINCT FROM 'acquire' AND (one.id IS NOT NULL OR sure < cardinality(chosen));
    answer := CASE WHEN one.act = 'acquire' THEN one.lease END;
    task := CASE WHEN one.act = 'acquire' THEN one.task END;
    ready := one.ready;
    RETURN NEXT;
  END LOOP;
END
$$;
