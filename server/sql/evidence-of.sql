SELECT e.task, e.path, e.sha256, e.size FROM alai.evidence e WHERE e.task = ANY ($1::bigint[])
