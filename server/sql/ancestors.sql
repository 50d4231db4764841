-- A task, its parent, and so on.
WITH RECURSIVE line (id, parent) AS (
  SELECT t.id, t.parent FROM alai.tasks t WHERE t.id = $1
  UNION
  SELECT t.id, t.parent FROM alai.tasks t JOIN line l ON t.id = l.parent
)
SELECT l.id, l.parent FROM line l
