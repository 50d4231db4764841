SELECT r.* FROM alai.task_rows r WHERE r.id = ANY ($1::bigint[])
