#!/usr/bin/env bash
# Runs once, when the database's volume is new: the role that the server signs in as, and its database. It is no superuser:
# who takes over the server does not get the machine of the database, and the connections kept back for administrators stay.
set -euo pipefail

password=$(cat /run/secrets/alai_password)
psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --set=password="$password" --username "$POSTGRES_USER" --dbname postgres <<'SQL'
CREATE ROLE alai LOGIN PASSWORD :'password';
CREATE DATABASE alai OWNER alai;
REVOKE ALL ON DATABASE alai FROM PUBLIC;
SQL
