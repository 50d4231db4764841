INSERT INTO alai.tasks (id, title, description, status, status_raw, priority, priority_raw, project, owner, tags, parent, due,
  deferred_until, dedup_key, version, created_at, updated_at, done_at, lease_holder, lease_until, lease_ttl, lease_fence,
  attempts, extra)
SELECT r.id, r.title, r.description, r.status, r.status_raw, r.priority, r.priority_raw, r.project, r.owner, r.tags, r.parent,
  alai.from_millis(r.due), alai.from_millis(r.deferred_until), r.dedup_key, r.version, alai.from_millis(r.created_at),
  alai.from_millis(r.updated_at), alai.from_millis(r.done_at), r.lease_holder, alai.from_millis(r.lease_until), r.lease_ttl,
  r.fence, r.attempts, CASE WHEN r.extra::text <> '{}' THEN r.extra END
FROM json_to_recordset($1) AS r (id bigint, title text, description text, status text, status_raw text, priority smallint,
  priority_raw text, project text, owner text, tags text[], parent bigint, due bigint, deferred_until bigint, dedup_key text,
  version bigint, created_at bigint, updated_at bigint, done_at bigint, lease_holder text, lease_until bigint,
  lease_ttl bigint, fence bigint, attempts bigint, extra json)
ON CONFLICT (id) DO UPDATE SET
  title = excluded.title, description = excluded.description, status = excluded.status, status_raw = excluded.status_raw,
  priority = excluded.priority, priority_raw = excluded.priority_raw, project = excluded.project, owner = excluded.owner,
  tags = excluded.tags, parent = excluded.parent, due = excluded.due, deferred_until = excluded.deferred_until,
  dedup_key = excluded.dedup_key, version = excluded.version, created_at = excluded.created_at,
  updated_at = excluded.updated_at, done_at = excluded.done_at, lease_holder = excluded.lease_holder,
  lease_until = excluded.lease_until, lease_ttl = excluded.lease_ttl, lease_fence = excluded.lease_fence,
  attempts = excluded.attempts, extra = excluded.extra
