#!/usr/bin/env bash
# One request id is found in the lines of the gateway and of the services it went through: in Elasticsearch, and by Kibana's own search.
# Needs a Docker engine that can pull. From the root of the checkout: observability/elk/smoke.sh; it leaves the stack running.
set -euo pipefail
compose=(docker compose --profile core --profile elk)
gateway=http://127.0.0.1:${GATEWAY_PORT:-8080}
id=smoke-$(date +%s)-$RANDOM
mapfile -t databases < <(ls migrations)
deploy/docker/secrets.sh "${databases[@]}"
"${compose[@]}" up --build --wait

password=$(openssl rand -hex 12)
"${compose[@]}" exec -T user python -m services.user.admin "$id@example.com" <<< "$password" > /dev/null
field() { python3 -c 'import json, sys; print(json.load(sys.stdin)["data"][sys.argv[1]])' "$1"; }
token=$(curl -sSf "$gateway/api/users/v1/auth/login" -H 'Content-Type: application/json' \
    -d "{\"email\": \"$id@example.com\", \"password\": \"$password\"}" | field access_token)
# The list goes through the gateway to user, and from there by gRPC to point.
curl -sSf -o /dev/null -H "X-Request-ID: $id" -H "Authorization: Bearer $token" "$gateway/api/users/v1/users"

query="{\"size\": 0, \"query\": {\"term\": {\"request_id\": \"$id\"}}, \"aggs\": {\"by\": {\"terms\": {\"field\": \"service\"}}}}"
inside() { # what the set-up job may ask, from a container that has the certificate and the password
    "${compose[@]}" run --rm --no-deps -T --entrypoint bash elk-setup -c "$1"
}
# shellcheck disable=SC2016  # the password is the container's, not ours
ask='curl -sS --cacert /certificates/ca/ca.crt --user "elastic:$ELASTIC_PASSWORD"'
for _ in $(seq 60); do
    found=$(inside "$ask -H 'Content-Type: application/json' 'https://elasticsearch:9200/logs-marketplace-*/_search' -d '$query'" |
        python3 -c 'import json, sys; print(*sorted(b["key"] for b in json.load(sys.stdin)["aggregations"]["by"]["buckets"]))' || true)
    [[ " $found " == *" gateway "* && " $found " == *" user "* && " $found " == *" point "* ]] && break
    sleep 2
done
[[ " $found " == *" gateway "* && " $found " == *" user "* && " $found " == *" point "* ]] ||
    { echo "the request $id is in the lines of: ${found:-nobody}" >&2; exit 1; }

inside "$ask 'http://kibana:5601/api/saved_objects/_find?type=search&type=visualization&type=dashboard&type=index-pattern'" |
    python3 -c 'import json, sys; found = json.load(sys.stdin)["total"]; print(found, "saved objects in Kibana"); sys.exit(found < 9)'
echo "the request $id is in the lines of: $found"
