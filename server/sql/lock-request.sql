SELECT alai.lock_request($1, $2) AS free
