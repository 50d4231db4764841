-- Answers that are too old to count, some at a time.
DELETE FROM alai.requests r USING (
  SELECT o.subject, o.key FROM alai.requests o WHERE o.at <= alai.read_moment() - make_interval(secs => $1 / 1000.0)
  LIMIT 5000 FOR UPDATE SKIP LOCKED
) old
WHERE r.subject = old.subject AND r.key = old.key
