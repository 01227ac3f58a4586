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
# Services are looked up again every 5 s: a roll-out gives them other addresses. NGINX asks the servers of resolv.conf itself, so it
# knows neither the search list of Kubernetes nor the names in /etc/hosts (ECS Service Connect), whose addresses stay.
servers=
while read -r word address rest; do
    case $word:$address in
        nameserver:*:*) servers="$servers [$address]" ;;
        nameserver:*) servers="$servers $address" ;;
    esac
done < /etc/resolv.conf
suffix=
[ -z "${KUBERNETES_SERVICE_HOST:-}" ] || suffix=.$(sed -n 's/^search  *\([^ ]*\).*/\1/p' /etc/resolv.conf)
sed -n 's/.*server \([a-z0-9-]*\):[0-9]* resolve .*/\1/p' /etc/nginx/nginx.conf | sort -u | while read -r name; do
    if [ -z "$servers" ] || grep -q "[[:space:]]$name\([[:space:]]\|\$\)" /etc/hosts; then
        printf '%s\n' "s/server $name:\([0-9]*\) resolve /server $name:\1 /"
    else
        printf '%s\n' "s/server $name:/server $name$suffix:/"
    fi
done > "$run/names.sed"
[ -n "$servers" ] || servers=" 127.0.0.1" # nobody is asked
echo "resolver$servers valid=5s;" > "$run/resolver.conf"
sed -f "$run/names.sed" /etc/nginx/nginx.conf > "$run/nginx.conf"
if nginx -t -q -c "$run/nginx.conf" -e stderr 2>&1 | grep -q 'invalid parameter "resolve"'; then
    echo "this NGINX is older than 1.27.3 and looks services up once, when it starts" >&2
    sed 's/ resolve / /' "$run/nginx.conf" > "$run/once.conf" && mv "$run/once.conf" "$run/nginx.conf"
fi
nginx -t -q -c "$run/nginx.conf" -e stderr 2>&1 | grep -q keepalive_min_timeout && : > "$run/newer.conf"
exec nginx -c "$run/nginx.conf" -e stderr
