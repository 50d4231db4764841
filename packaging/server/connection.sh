# shellcheck shell=bash
# For backup.sh and restore.sh: takes the password out of a URL, because arguments can be seen by every user of the machine.

# use_url URL: sets `target`, the URL without its password, and PGPASSWORD.
use_url() {
  target=$1
  if [[ $1 =~ ^(postgres(ql)?://[^:@/]+):([^@/]+)@(.*)$ ]]; then
    target="${BASH_REMATCH[1]}@${BASH_REMATCH[4]}"
    PGPASSWORD=$(printf '%b' "${BASH_REMATCH[3]//%/\\x}")
    export PGPASSWORD
  fi
  # libpq looks for a certificate authority of its own, unless it is told to take the machine's (from version 16 on).
  if [[ $1 == *sslmode=verify-full* && $1 != *sslrootcert=* ]]; then export PGSSLROOTCERT="${PGSSLROOTCERT:-system}"; fi
}

ask() { psql --no-psqlrc --no-align --tuples-only --quiet --set=ON_ERROR_STOP=1 --dbname="$target" --command="$1"; }

fail() {
  echo "$2" >&2
  exit "$1"
}

# need_tool NAME MAJOR: the program must not be older than the server, or it refuses in words that say less.
need_tool() {
  local found
  found=$("$1" --version | sed -E 's/[^0-9]*([0-9]+).*/\1/') || fail 69 "$1 is not installed."
  [ "$found" -ge "$2" ] || fail 69 "$1 is of version $found, the server of $2. Install postgresql-client-$2, or run this in the image postgres:$2."
}
