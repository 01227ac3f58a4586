#!/bin/sh
# PostgreSQL takes a private key only from a file that is its own account's alone, which a mounted secret is not.
set -eu
umask 077
cat /run/secrets/postgres_key > /run/key/postgres
exec docker-entrypoint.sh "$@"
