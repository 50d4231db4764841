SELECT alai.read_moment() AS now, t.id, t.title, t.status, t.status_raw, t.lease_holder, t.lease_until, t.lease_ttl, t.lease_fence
FROM alai.tasks t WHERE t.id = ANY ($1::bigint[])
