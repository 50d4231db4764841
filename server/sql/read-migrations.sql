SELECT version, name, checksum, breaking FROM alai.migrations ORDER BY version
