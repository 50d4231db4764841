SELECT e.seq, e.task, e.kind, e.at, e.actor, e.session, e.fence, e.data FROM alai.events e
WHERE e.task = ANY ($1::bigint[]) ORDER BY e.seq
