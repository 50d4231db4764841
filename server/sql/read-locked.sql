-- Tasks whose rows are locked, with what the journal remembers of the caller ($2, $3: actor and session).
SELECT r.*, mine.fence AS my_fence, mine.ended AS my_end
FROM alai.task_rows r LEFT JOIN LATERAL alai.memory_of(r.id, $2, $3) mine ON true
WHERE r.id = ANY ($1::bigint[])
