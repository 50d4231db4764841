UPDATE alai.tasks SET
  title = $2, description = $3, status = $4, status_raw = $5, priority = $6, priority_raw = $7, project = $8, owner = $9,
  tags = $10, parent = $11, due = alai.from_millis($12), deferred_until = alai.from_millis($13), version = $14,
  updated_at = alai.from_millis($15), done_at = alai.from_millis($16),
  lease_holder = $17, lease_until = alai.from_millis($18), lease_ttl = $19, lease_told = alai.from_millis($20)
WHERE id = $1
