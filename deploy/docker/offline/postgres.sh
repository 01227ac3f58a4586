#!/usr/bin/env bash
# What docker-compose.yml expects of a PostgreSQL image: the first start makes the cluster with the password
# in POSTGRES_PASSWORD_FILE and runs the SQL in /docker-entrypoint-initdb.d.
set -euo pipefail
if [[ ! -e $PGDATA/PG_VERSION ]]; then
    # In a draft, so that a start that is cut short is begun anew.
    draft=$PGDATA.draft
    rm -rf "$draft"
    mkdir -p "$(dirname "$PGDATA")"
    initdb --pgdata "$draft" --username postgres --pwfile "$POSTGRES_PASSWORD_FILE" --auth scram-sha-256 --auth-local trust --encoding UTF8
    echo "host all all all scram-sha-256" >> "$draft/pg_hba.conf"
    pg_ctl --pgdata "$draft" --wait --options "-c listen_addresses='' -c unix_socket_directories=/tmp" start
    for file in /docker-entrypoint-initdb.d/*.sql; do
        psql --host /tmp --username postgres --set ON_ERROR_STOP=1 --quiet --file "$file"
    done
    pg_ctl --pgdata "$draft" --wait --mode fast stop
    mv "$draft" "$PGDATA"
fi
[[ ${1:-} != postgres ]] || shift
exec postgres -D "$PGDATA" -c listen_addresses='*' -c unix_socket_directories=/tmp "$@"
