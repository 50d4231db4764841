INSERT INTO alai.events (seq, task, kind, at, actor, session, fence, data)
SELECT r.seq, r.task, r.kind, alai.from_millis(r.at), r.actor, r.session, r.fence, CASE WHEN r.data::text <> '{}' THEN r.data END
FROM json_to_recordset($1) AS r (seq bigint, task bigint, kind text, at bigint, actor text, session text, fence bigint, data json)
