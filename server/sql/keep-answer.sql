INSERT INTO alai.requests (subject, key, at, fingerprint, answer) VALUES ($1, $2, alai.moment(), $3, $4)
ON CONFLICT (subject, key) DO UPDATE SET at = excluded.at, fingerprint = excluded.fingerprint, answer = excluded.answer
