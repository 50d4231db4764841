-- Lease verbs of many callers in one statement: one round trip and one commit. The rules are those of core/src/lease.ts,
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

-- The next tasks that meet a condition over `t` ($1: the moment), one for each call, in the order of the calls.
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
