SELECT e.seq, e.task, e.kind, e.at, e.actor, e.session, e.fence, e.data FROM alai.events e WHERE e.seq = ANY ($1::bigint[])
