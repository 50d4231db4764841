INSERT INTO alai.migrations (version, name, checksum, breaking) VALUES ($1, $2, $3, $4)
