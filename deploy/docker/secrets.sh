#!/usr/bin/env bash
# Makes every secret that docker-compose.yml mounts, once; what exists is kept, but for certificates near their end. Nothing has a default.
# POSTGRES_SSL=off: for a PostgreSQL that was built without TLS, as the wheel's is.
# Usage: secrets.sh DATABASE…   (all of them: ls migrations)
set -euo pipefail
(($#)) || { echo "secrets.sh: name the databases: deploy/docker/secrets.sh \$(ls migrations)" >&2; exit 2; }
command -v openssl >/dev/null || { echo "secrets.sh: openssl is needed" >&2; exit 2; }
cd "$(dirname "$0")"
umask 077
users=${REDIS_USERS:-$PWD/../redis/users.acl}
[[ -r $users ]] || { echo "secrets.sh: $users is needed" >&2; exit 2; }
mkdir -p secrets
make() { "${@:2}" > "secrets/$1.new" && mv "secrets/$1.new" "secrets/$1"; } # never half of one
once() { [[ -s secrets/$1 ]] || make "$@"; }
password() { openssl rand -hex 24; }
for name in "$@"; do for of in "" _service _redis; do once "${name}${of}_password" password; done; done
for name in postgres mariadb_root redis elastic kibana logstash metricbeat grafana csrf monitoring mariadb_monitoring redis_monitoring; do once "${name}_password" password; done
# Each service signs its events; the others know its public key. Both are the last 32 bytes of what OpenSSL writes.
for name in "$@"; do once "${name}_events_key" openssl genpkey -algorithm ed25519; done
raw() { openssl pkey -in "secrets/$1_events_key" -outform DER "${@:2}" | tail -c 32 | base64; }
events=""
for name in "$@"; do events+="${events:+,}$name:$(raw "$name" -pubout)"; done
once user_signing_keys openssl genpkey -algorithm ed25519
once user_encryption_keys bash -c 'echo "first:$(openssl rand -base64 32)"'
# The database servers prove who they are to their clients: an authority for these two alone, and a certificate each, for a year.
# Anew, with the same key, where it ends within two months: whoever is trusted stays so. Anew, too, where the key is another.
key() { openssl genpkey -algorithm ec -pkeyopt ec_paramgen_curve:prime256v1; }
of_its_key() { # CERTIFICATE KEY
    [[ -s secrets/$1 && $(openssl x509 -in "secrets/$1" -noout -pubkey) == "$(openssl pkey -in "secrets/$2" -pubout)" ]]
}
once database_ca_key key
{ of_its_key database_ca database_ca_key && openssl x509 -in secrets/database_ca -noout -checkend $((430 * 86400)) >/dev/null; } ||
    make database_ca openssl req -new -x509 -days 3650 -key secrets/database_ca_key -subj "/CN=databases of marketplace" \
        -addext keyUsage=critical,keyCertSign
certificate() {
    openssl req -new -key "secrets/$1_key" -subj "/CN=$1" |
        openssl x509 -req -days 365 -CA secrets/database_ca -CAkey secrets/database_ca_key -set_serial "0x$(openssl rand -hex 16)" \
            -extfile <(printf '%s\n' "subjectAltName=DNS:$1" authorityKeyIdentifier=keyid subjectKeyIdentifier=hash)
}
renewed=""
for server in postgres mariadb; do
    once "${server}_key" key
    of_its_key "${server}_certificate" "${server}_key" &&
        openssl verify -CAfile secrets/database_ca -attime $(($(date +%s) + 60 * 86400)) "secrets/${server}_certificate" >/dev/null 2>&1 && continue
    [[ ! -e secrets/${server}_certificate ]] || renewed+=" $server"
    make "${server}_certificate" certificate "$server"
done
# Where alerts go: put the real webhook in, until then they go nowhere.
for name in alert_on_call_url alert_team_url; do once "$name" echo "http://127.0.0.1:9/"; done
# What .env (or the environment) sets instead of the servers of docker-compose.yml.
given() {
    local value=${!1:-}
    [[ -n $value || ! -r ../../.env ]] || value=$(sed -n "s/^$1=//p" ../../.env | tail -n 1)
    printf %s "$value"
}
# A service reads its settings from the environment; these files are its env_file.
env() { printf '%s\n' "${@:2}" > "secrets/$1.env"; }
verify="sslmode=verify-full&sslrootcert=/run/secrets/database_ca"
[[ ${POSTGRES_SSL:-on} == on ]] || verify="sslmode=disable"
clients="" # who may sign in as a service, with which secret, whose hash is enough to tell
for name in "$@"; do
    upper=${name^^}
    server=postgresql at=postgres:5432 tls=$verify
    [[ $name != product ]] || server=mysql at=mariadb:3306 tls="ssl-mode=VERIFY_IDENTITY&ssl-ca=/run/secrets/database_ca"
    database=$(given "${upper}_DATABASE_URL") redis=$(given REDIS_URL)
    url() { echo "${upper}_DATABASE_URL=${database:-$server://$1:$(<"secrets/$1_password")@$at/$name?$tls}"; }
    env "migrate-$name" "$(url "$name")" # the owner's; keys and passwords of the service are nothing to a migration
    env "$name" "$(url "${name}_service")" \
        "REDIS_URL=${redis:-redis://$name:$(<"secrets/${name}_redis_password")@redis:6379/0}" "AUTH_CSRF_SECRET=$(<secrets/csrf_password)" \
        "EVENTS_SIGNING_KEY=$(raw "$name")" "EVENTS_PUBLIC_KEYS=$events"
    [[ $name == order ]] || continue # who calls others in its own name
    once "${name}_client_password" password
    printf '%s\n' "AUTH_CLIENT_ID=$name" "AUTH_CLIENT_SECRET=$(<"secrets/${name}_client_password")" >> "secrets/$name.env"
    clients+="${clients:+,}$name:sha256:$(printf %s "$(<"secrets/${name}_client_password")" | sha256sum | cut -d " " -f 1)"
done
if [[ -e secrets/user.env ]]; then
    # One line: compose keeps \n inside double quotes as line ends.
    printf 'USER_JWT_PRIVATE_KEYS="%s"\n' "$(awk '{printf "%s\\n", $0}' secrets/user_signing_keys)" >> secrets/user.env
    echo "USER_ENCRYPTION_KEYS=$(<secrets/user_encryption_keys)" >> secrets/user.env
    echo "USER_SERVICE_CLIENTS=$clients" >> secrets/user.env
fi
# One statement per role and database, run by the images of the databases on their first start.
{
    for name in "$@"; do
        for role in "$name" "${name}_service"; do echo "CREATE ROLE \"$role\" LOGIN PASSWORD '$(<"secrets/${role}_password")';"; done
        echo "CREATE DATABASE \"$name\" OWNER \"$name\";"
        echo "REVOKE ALL ON DATABASE \"$name\" FROM PUBLIC;" # or every service's role could enter
    done
    echo "CREATE ROLE monitoring LOGIN PASSWORD '$(<secrets/monitoring_password)';"
    echo "GRANT pg_monitor TO monitoring;"
} > secrets/postgres_sql
# Redis knows each service by its own password, lets it to its own keys and channels, and lets none of them stop, empty or configure it, or
# list what there is. Its exporter sees counters and no key. The default user is an operator's, and the health check's.
{
    echo "user default on >$(<secrets/redis_password) ~* &* +@all"
    # Which keys are whose, the code says: ../redis/users.acl
    for name in "$@"; do sed -n "s/^user $name on /&>$(<"secrets/${name}_redis_password") /p" "$users"; done
    echo "user monitoring on >$(<secrets/redis_monitoring_password) -@all +ping +info +client|setname +slowlog +latency"
} > secrets/redis_acl
# An account that has no privilege can read the server's counters, which is all its exporter is to see.
{
    echo "CREATE USER monitoring@'%' IDENTIFIED BY '$(<secrets/mariadb_monitoring_password)' REQUIRE SSL WITH MAX_USER_CONNECTIONS 3;"
    if [[ -e secrets/product_service_password ]]; then # the image itself makes the owner, which gives the service its rights
        echo "CREATE USER product_service@'%' IDENTIFIED BY '$(<secrets/product_service_password)' REQUIRE SSL;"
        echo "GRANT ALL ON product.* TO product@'%' WITH GRANT OPTION;"
    fi
} > secrets/mariadb_sql
printf '%s\n' "[client]" user=monitoring "password=$(<secrets/mariadb_monitoring_password)" host=mariadb port=3306 \
    ssl-ca=/run/secrets/database_ca > secrets/mysqld_exporter
env monitoring "DATA_SOURCE_NAME=postgresql://monitoring:$(<secrets/monitoring_password)@postgres:5432/postgres?$verify" \
    "REDIS_USER=monitoring" "REDIS_PASSWORD=$(<secrets/redis_monitoring_password)"
env elk "ELASTIC_PASSWORD=$(<secrets/elastic_password)" "KIBANA_PASSWORD=$(<secrets/kibana_password)" \
    "LOGSTASH_PASSWORD=$(<secrets/logstash_password)" "METRICBEAT_PASSWORD=$(<secrets/metricbeat_password)"
env metricbeat "METRICBEAT_PASSWORD=$(<secrets/metricbeat_password)"
env logstash "LOGSTASH_PASSWORD=$(<secrets/logstash_password)"
env kibana "ELASTICSEARCH_PASSWORD=$(<secrets/kibana_password)"
# A container reads what is mounted under an account of its own. Here only the owner can enter the folder.
chmod 644 secrets/*_password secrets/alert_*_url secrets/{postgres,mariadb}_{key,certificate,sql} secrets/mysqld_exporter secrets/redis_acl secrets/database_ca
chmod 700 secrets
echo "secrets are in deploy/docker/secrets"
[[ -z $renewed ]] || echo "renewed certificates; use them: docker compose restart$renewed"
