SELECT e.seq, e.task, e.kind, e.at, e.actor, e.session, e.fence, e.data FROM alai.events e
WHERE e.actor = $1 AND e.session = $2
  AND e.kind IN ('added', 'edited', 'done', 'ready', 'paused', 'reopened', 'cancelled', 'dep_added', 'dep_removed')
  AND NOT EXISTS (
    SELECT FROM alai.events u WHERE u.task = e.task AND u.kind = 'undone' AND (u.data ->> 'undoes')::bigint = e.seq
  )
ORDER BY e.seq DESC LIMIT 1
