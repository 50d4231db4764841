-- When the journal last told of these tasks' leases.
UPDATE alai.tasks t SET lease_told = (
  SELECT e.at FROM alai.events e
  WHERE e.task = t.id AND e.kind IN ('acquired', 'taken_over', 'renewed') ORDER BY e.seq DESC LIMIT 1
)
WHERE t.id = ANY ($1::bigint[])
