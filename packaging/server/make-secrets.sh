#!/usr/bin/env bash
# Makes the secrets that docker-compose.yml reads, once: packaging/server/make-secrets.sh. Never replaces one that is there,
# because the database keeps the password that it was made with.
set -euo pipefail

folder="$(cd "$(dirname "$0")" && pwd)/secrets"
mkdir -p "$folder"
# The folder keeps other users out. The files are readable, because each is mounted alone and read by the container's user.
chmod 700 "$folder"

random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

once() {
  if [ -e "$folder/$1" ]; then
    echo "kept    secrets/$1" >&2
    return
  fi
  printf '%s' "$2" >"$folder/$1"
  chmod 644 "$folder/$1"
  echo "made    secrets/$1" >&2
}

once postgres_password "$(random)"
once alai_password "$(random)"
once database_url "postgres://alai:$(cat "$folder/alai_password")@postgres:5432/alai"
