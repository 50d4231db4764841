-- What these tasks wait for, over any number of steps.
WITH RECURSIVE chain (id) AS (
  SELECT unnest($1::bigint[])
  UNION
  SELECT d.blocker FROM alai.dependencies d JOIN chain c ON d.task = c.id
)
SELECT d.task, d.blocker FROM alai.dependencies d JOIN chain c ON d.task = c.id
