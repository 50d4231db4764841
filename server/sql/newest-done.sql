SELECT t.created_at, t.done_at FROM alai.tasks t
WHERE t.status = 'done' AND t.done_at IS NOT NULL AND t.created_at IS NOT NULL ORDER BY t.done_at DESC LIMIT $1
