SELECT r.* FROM alai.task_rows r WHERE r.dedup_key = ANY ($1::text[])
