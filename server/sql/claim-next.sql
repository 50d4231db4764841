SELECT alai.claim_next($1, $2, $3, $4) AS answer
