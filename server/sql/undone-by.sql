SELECT u.seq FROM alai.events u
WHERE u.task IS NOT DISTINCT FROM $1 AND u.kind = 'undone' AND (u.data ->> 'undoes')::bigint = $2
