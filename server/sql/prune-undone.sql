-- A change that stays must not be undone twice: the mark goes with its target, never before it.
WITH gone AS (
  DELETE FROM alai.events e
  WHERE e.at < alai.from_millis($1) AND e.seq < (SELECT h.seq FROM alai.head h) AND e.kind = 'undone'
    AND NOT EXISTS (SELECT FROM alai.events o WHERE o.seq = (e.data ->> 'undoes')::bigint)
  RETURNING e.seq
)
SELECT count(*) AS dropped, coalesce(max(seq), 0) AS through FROM gone
