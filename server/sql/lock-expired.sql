SELECT t.id FROM alai.tasks t
WHERE t.lease_holder IS NOT NULL AND t.lease_until <= alai.moment()
ORDER BY t.id
FOR NO KEY UPDATE
