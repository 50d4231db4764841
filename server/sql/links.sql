-- Who waits for these tasks, and who is below them.
SELECT d.blocker AS id, d.task AS other, true AS waits FROM alai.dependencies d WHERE d.blocker = ANY ($1::bigint[])
UNION ALL
SELECT t.parent, t.id, false FROM alai.tasks t WHERE t.parent = ANY ($1::bigint[])
ORDER BY 2
