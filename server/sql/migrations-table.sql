CREATE TABLE IF NOT EXISTS alai.migrations (
  version int PRIMARY KEY,
  name text NOT NULL,
  checksum text NOT NULL,
  -- An older program must not use a database that has this one.
  breaking boolean NOT NULL,
  at timestamptz(3) NOT NULL DEFAULT clock_timestamp()
)
