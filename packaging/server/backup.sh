#!/usr/bin/env bash
# A backup of the ledger's database that needs nothing of Azure to be read again:
#
#   DATABASE_URL=postgres://… packaging/server/backup.sh FOLDER
#
# writes FOLDER/alai-TIME.dump (pg_dump's own format, compressed), .json (what the drill needs) and .sha256, and prints the
# dump's name. Nothing is overwritten, and an unfinished dump has no such name. Nothing is deleted either: how long to keep
# what is a decision (docs/server.md proposes 7 days, 4 weeks, 12 months), and a program that deletes backups is one more way
# to lose them all.
set -euo pipefail
# shellcheck source=connection.sh
source "$(dirname "${BASH_SOURCE[0]}")/connection.sh"

folder=${1:-}
if [ -z "$folder" ] || [ -z "${DATABASE_URL:-}" ]; then fail 64 "usage: DATABASE_URL=postgres://… backup.sh FOLDER"; fi
use_url "$DATABASE_URL"
umask 077
mkdir -p "$folder"

version=$(ask "SELECT current_setting('server_version_num')::int / 10000") || fail 69 "The database cannot be reached."
need_tool pg_dump "$version"

taken_at=$(date -u +%Y-%m-%dT%H:%M:%SZ)
# Before the dump begins: it must have at least this.
head=$(ask "SELECT json_build_object('ledger', ledger, 'seq', seq)::text FROM alai.head") || fail 69 "This database has no ledger."
name="alai-${taken_at//[:-]/}"
dump="$folder/$name.dump"
[ ! -e "$dump" ] || fail 1 "$dump is there already."

trap 'rm -f "$dump.part"' EXIT
pg_dump --format=custom --no-owner --no-privileges --schema=alai --lock-wait-timeout=60s --file="$dump.part" --dbname="$target"
# A dump that cannot be listed cannot be restored.
pg_restore --list "$dump.part" >/dev/null
mv "$dump.part" "$dump"
(cd "$folder" && sha256sum "$name.dump" >"$name.sha256")
printf '%s\n' "${head%\}}, \"taken_at\": \"$taken_at\", \"postgres\": $version, \"bytes\": $(wc -c <"$dump")}" >"$folder/$name.json"
echo "$dump"
