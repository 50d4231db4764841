DELETE FROM alai.dependencies d USING unnest($1::bigint[], $2::bigint[]) AS u (task, blocker)
WHERE d.task = u.task AND d.blocker = u.blocker
