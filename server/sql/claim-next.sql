SELECT n.call, n.again, row_to_json(n.answer) AS answer, n.task, n.ready, n.known
FROM alai.claim_next($1, $2, $3, $4, $5, $6, $7, $8, $9) n
