#!/bin/sh
# PostgreSQL takes a private key only from a file that is its own account's alone, which a mounted secret is not.
set -eu
umask 077
rm -f /tmp/postgres_key
cat /run/secrets/postgres_key > /tmp/postgres_key
[ "$(id -u)" != 0 ] || chown postgres /tmp/postgres_key # the image changes to this account itself
exec docker-entrypoint.sh "$@"
