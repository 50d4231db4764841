-- In the order of their numbers, whoever asks, so that no two wait for each other.
SELECT FROM alai.tasks t WHERE t.id = ANY ($1::bigint[]) ORDER BY t.id FOR NO KEY UPDATE
