-- What every connection begins with: times as text that is read here, names that say their schema, and no plan that is
-- compiled for a millisecond's work.
SELECT
  set_config('search_path', '', false),
  set_config('TimeZone', 'UTC', false),
  set_config('DateStyle', 'ISO', false),
  set_config('jit', 'off', false),
  set_config('statement_timeout', $1, false),
  set_config('lock_timeout', $2, false),
  set_config('idle_in_transaction_session_timeout', $3, false)
