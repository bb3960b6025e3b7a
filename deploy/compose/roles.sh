#!/bin/bash
# The two roles and the database, when the server is set up for the first time. The owner migrates;
# the application owns nothing, and `zhengwu migrate` grants it what it may do.
set -euo pipefail
secrets=${SECRETS:-/run/secrets}
psql --set=ON_ERROR_STOP=1 --no-psqlrc --quiet --username="${POSTGRES_USER:-postgres}" --dbname=postgres \
    --set=owner_password="$(<"$secrets/owner_password")" \
    --set=app_password="$(<"$secrets/app_password")" <<'SQL'
CREATE ROLE zhengwu_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE zhengwu_app LOGIN PASSWORD :'app_password';
-- The alarm of a stalled watermark names the session, whoever's it is.
GRANT pg_read_all_stats TO zhengwu_app;
CREATE DATABASE zhengwu OWNER zhengwu_owner ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE zhengwu FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE zhengwu TO zhengwu_app;
SQL
