-- Old lines that nothing hangs on: see core/src/sqlite/prune.ts. $1: older than this; $2: the moment.
WITH gone AS (
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
SELECT count(*) AS dropped, coalesce(max(seq), 0) AS through FROM gone
