INSERT INTO alai.evidence (task, path, sha256, size)
SELECT e.task, e.path, e.sha256, e.size
FROM ROWS FROM (json_to_recordset($1) AS (task bigint, path text, sha256 text, size bigint)) WITH ORDINALITY
  AS e (task, path, sha256, size, n)
ORDER BY e.n
