DELETE FROM alai.evidence e
USING json_to_recordset($1) AS r (task bigint, path text, sha256 text, size bigint)
WHERE e.task = r.task AND e.path = r.path AND e.sha256 = r.sha256 AND e.size = r.size
