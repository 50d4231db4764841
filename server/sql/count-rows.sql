-- The same file twice under one task is the same evidence.
SELECT
  (SELECT count(*) FROM alai.tasks) AS task,
  (SELECT count(*) FROM alai.dependencies) AS dependency,
  (SELECT count(*) FROM (SELECT DISTINCT e.task, e.path, e.sha256, e.size FROM alai.evidence e) d) AS evidence,
  (SELECT count(*) FROM alai.events) AS event
