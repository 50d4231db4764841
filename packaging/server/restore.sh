#!/usr/bin/env bash
# Restores a backup of backup.sh into a new database beside what is there:
#
#   DATABASE_URL=postgres://…/postgres packaging/server/restore.sh FOLDER/alai-TIME.dump NEW_DATABASE
#
# DATABASE_URL is any database of the server to restore on, as a role that may create databases. One that exists is never
# touched. Prints the seconds it took. Then prove it: restore-drill.ts.
set -euo pipefail
# shellcheck source=connection.sh
source "$(dirname "${BASH_SOURCE[0]}")/connection.sh"

dump=${1:-} database=${2:-}
if [ -z "$dump" ] || [ -z "$database" ] || [ -z "${DATABASE_URL:-}" ]; then
  fail 64 "usage: DATABASE_URL=postgres://… restore.sh DUMP NEW_DATABASE"
fi
[[ $database =~ ^[a-z][a-z0-9_]{0,62}$ ]] || fail 64 "$database is no name for a database: small letters, digits and underscores."
[ -r "$dump" ] || fail 64 "$dump cannot be read."
use_url "$DATABASE_URL"

sum="${dump%.dump}.sha256"
[ -r "$sum" ] || fail 1 "$sum is missing: whether the dump is whole cannot be told."
(cd "$(dirname "$dump")" && sha256sum --check --quiet "$(basename "$sum")") || fail 1 "$dump is not what backup.sh wrote."

version=$(ask "SELECT current_setting('server_version_num')::int / 10000") || fail 69 "The server cannot be reached."
need_tool pg_restore "$version"
there=$(ask "SELECT count(*) FROM pg_database WHERE datname = '$database'")
[ "$there" = 0 ] || fail 1 "The database $database exists. Choose another name; nothing was changed."

started=$SECONDS
ask "CREATE DATABASE $database TEMPLATE template0 ENCODING 'UTF8'"
# The path of a URL is the database.
into=$(sed -E "s#^(postgres(ql)?://[^/?]+)(/[^?]*)?#\1/$database#" <<<"$target")
pg_restore --exit-on-error --single-transaction --no-owner --no-privileges --dbname="$into" "$dump" ||
  fail 1 "The restore failed. The new database $database is not whole: drop it before you try again."
target=$into ask "ANALYZE"
echo "restored into $database in $((SECONDS - started)) s" >&2
