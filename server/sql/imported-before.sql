SELECT e.task, e.data -> 'from' AS source FROM alai.events e
WHERE e.kind = 'imported' AND (e.data #>> '{from,id}')::bigint = ANY ($1::bigint[])
ORDER BY e.seq
