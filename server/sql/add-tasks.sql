INSERT INTO alai.tasks (id, title, description, status, priority, project, owner, tags, parent, due, deferred_until,
  dedup_key, created_at, updated_at, done_at)
SELECT a.id, a.title, a.description, a.status, a.priority, a.project, a.owner, a.tags, a.parent,
  alai.from_millis(a.due), alai.from_millis(a.deferred_until), a.dedup_key,
  alai.from_millis(a.created_at), alai.from_millis(a.updated_at), alai.from_millis(a.done_at)
FROM json_to_recordset($1) AS a (id bigint, title text, description text, status text, priority smallint, project text,
  owner text, tags text[], parent bigint, due bigint, deferred_until bigint, dedup_key text, created_at bigint,
  updated_at bigint, done_at bigint)
