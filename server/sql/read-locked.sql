-- Tasks whose rows are locked, with what the lease's rules ask of the journal. $2, $3: actor and session of the caller.
SELECT r.*, told.at AS told, mine.fence AS my_fence, mine.ended AS my_end
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
WHERE r.id = ANY ($1::bigint[])
