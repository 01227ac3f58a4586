#!/usr/bin/env bash
# What docker-compose.yml expects of a MariaDB image: the first start makes the database MARIADB_DATABASE for
# MARIADB_USER with the password in MARIADB_PASSWORD_FILE and runs the SQL in /docker-entrypoint-initdb.d; nobody
# can log in as root over the network.
set -euo pipefail
data=/var/lib/mysql
if [[ ! -e $data/made ]]; then
    rm -rf "${data:?}"/*
    mariadb-install-db --datadir "$data" --auth-root-authentication-method=socket --auth-root-socket-user=mysql --skip-test-db >/dev/null
    mariadbd --datadir "$data" --bootstrap <<SQL
FLUSH PRIVILEGES;
CREATE DATABASE \`$MARIADB_DATABASE\` CHARACTER SET utf8mb4;
CREATE USER '$MARIADB_USER'@'%' IDENTIFIED BY '$(<"$MARIADB_PASSWORD_FILE")';
GRANT ALL ON \`$MARIADB_DATABASE\`.* TO '$MARIADB_USER'@'%';
$(cat /docker-entrypoint-initdb.d/*.sql)
SQL
    touch "$data/made"
fi
exec mariadbd --datadir "$data" --bind-address 0.0.0.0 --socket /run/mysqld/mysqld.sock "$@"
