SELECT r.fingerprint, r.at, r.answer FROM alai.requests r WHERE r.subject = $1 AND r.key = $2
