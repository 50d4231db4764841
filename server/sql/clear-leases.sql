UPDATE alai.tasks SET lease_holder = NULL, lease_until = NULL, lease_ttl = NULL WHERE id = ANY ($1::bigint[])
