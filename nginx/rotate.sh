#!/bin/sh
# Check the gateway's access log once: if it is large, rename it, let NGINX open a new one, and delete the oldest.
# Usage: rotate.sh FOLDER   of access.log and nginx.pid; the gateway's supervisor calls it every few seconds.
# GATEWAY_LOG_MIB: how large it may be. GATEWAY_LOG_FILES: how many old ones are kept.
set -eu
log=$1/access.log
whole() { # NAME VALUE: a number that the shell can count with, or a message
    case $2 in
        ''|0*|*[!0-9]*|??????*) echo "$1: $2 is not a number from 1 to 99999" >&2; exit 2 ;;
    esac
}
size=${GATEWAY_LOG_MIB:-100}
old=${GATEWAY_LOG_FILES:-5}
whole GATEWAY_LOG_MIB "$size"
whole GATEWAY_LOG_FILES "$old"

# Of type f: not the link to the standard output that a container may have instead.
[ -n "$(find "$log" -type f -size "+$((size * 1048576))c" 2>/dev/null)" ] || exit 0
while [ "$old" -gt 1 ]; do
    [ ! -e "$log.$((old - 1))" ] || mv -f "$log.$((old - 1))" "$log.$old"
    old=$((old - 1))
done
mv -f "$log" "$log.1"
# What NGINX writes until it hears of it is in the renamed file. One that is not there opens the new one when it starts.
kill -USR1 "$(cat "$1/nginx.pid")" || echo "NGINX is not there to be told that its log was renamed" >&2
