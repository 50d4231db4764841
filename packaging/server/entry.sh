#!/bin/sh
# Starts alai in the container. A secret may come as a file (DATABASE_URL_FILE), which `docker inspect` does not show.
set -eu

if [ -n "${DATABASE_URL_FILE:-}" ]; then
  DATABASE_URL=$(cat "$DATABASE_URL_FILE")
  export DATABASE_URL
  unset DATABASE_URL_FILE
fi

exec node -- "$(dirname "$0")/dist/npm/alai.js" "$@"
