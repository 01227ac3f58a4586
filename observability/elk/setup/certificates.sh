#!/usr/bin/env bash
# Makes the authority and the servers' certificates on the first start; later ones change nothing.
set -euo pipefail
cd /certificates
if [[ -s ca/ca.crt ]]; then exit 0; fi
rm -f ca.zip servers.zip
elasticsearch-certutil ca --silent --pem --out /certificates/ca.zip
unzip -q -o ca.zip
{
    echo "instances:"
    for name in elasticsearch logstash kibana; do
        echo "  - {name: $name, dns: [$name, localhost], ip: [127.0.0.1]}"
    done
} > instances.yml
elasticsearch-certutil cert --silent --pem --in instances.yml --out /certificates/servers.zip \
    --ca-cert ca/ca.crt --ca-key ca/ca.key
unzip -q -o servers.zip
rm -f ca.zip servers.zip
chown -R 1000:0 /certificates
find . -type d -exec chmod 750 {} +
find . -type f -exec chmod 640 {} +
