SELECT t.id FROM alai.tasks t WHERE t.id = ANY ($1::bigint[])
