SELECT d.task, d.blocker FROM alai.dependencies d WHERE d.task = ANY ($1::bigint[])
