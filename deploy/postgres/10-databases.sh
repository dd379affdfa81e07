#!/bin/sh
# One database and one role each for Keycloak and for us; the image runs it once, on an empty volume.
set -eu

new_database() {
    psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
        --set name="$1" --set password="$(cat "/run/secrets/$2")" <<'SQL'
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name";
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
SQL
}

new_database keycloak KEYCLOAK_DATABASE_PASSWORD
new_database fsm_identity FSM_IDENTITY_DATABASE_PASSWORD
