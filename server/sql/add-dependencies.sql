INSERT INTO alai.dependencies (task, blocker)
SELECT d.task, d.blocker FROM unnest($1::bigint[], $2::bigint[]) AS d (task, blocker)
ON CONFLICT DO NOTHING
