#!/bin/sh
# Writes down whose X-Forwarded-For the gateway believes, has its log rotated, then becomes NGINX.
# GATEWAY_TRUSTED_PROXIES: addresses and networks, separated by commas. GATEWAY_LOG=stdout: there is no file. GATEWAY_LOG=both: the
# file, for an exporter beside us, and its lines on the standard output.
set -eu
run=/var/lib/gateway
: > "$run/trusted_peers.conf"
: > "$run/trusted_networks.conf"
for network in $(echo "${GATEWAY_TRUSTED_PROXIES:-}" | tr ',' ' '); do
    case $network in
        *[!0-9a-fA-F.:/]*) echo "GATEWAY_TRUSTED_PROXIES: $network is no network" >&2; exit 2 ;;
    esac
    echo "set_real_ip_from $network;" >> "$run/trusted_peers.conf"
    echo "$network 1;" >> "$run/trusted_networks.conf"
done
if [ "${GATEWAY_LOG:-file}" = stdout ]; then
    ln -sf /dev/stdout "$run/access.log"
else
    /rotate.sh "$run" # once before NGINX: a setting that is none ends it here
    while sleep 10; do /rotate.sh "$run" || :; done &
    [ "${GATEWAY_LOG:-file}" != both ] || tail -n 0 -F "$run/access.log" 2>/dev/null &
fi
# Who keeps a connection learns of a reload with an answer, not by losing a request. An NGINX before 1.27.4 does not know how.
echo "keepalive_min_timeout 5s;" > "$run/newer.conf"
nginx -t -q -e stderr 2>&1 | grep -q keepalive_min_timeout && : > "$run/newer.conf"
exec nginx -e stderr
