SELECT alai.change_leases($1, $2, $3) AS answer
