-- One of many that start at once migrates, the others wait for it.
SELECT pg_advisory_xact_lock(hashtextextended('alai.migrations', 0))
