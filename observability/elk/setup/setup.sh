#!/usr/bin/env bash
# Tells Elasticsearch and Kibana what they hold: password, policy, pipeline, template, saved objects.
# May be run again at any time.
set -euo pipefail
elastic=https://elasticsearch:9200
kibana=${KIBANA_URL:-http://kibana:5601}
ask() { curl --silent --show-error --fail --retry 30 --retry-delay 5 --retry-all-errors \
    --cacert /certificates/ca/ca.crt --user "elastic:$ELASTIC_PASSWORD" "$@" > /dev/null; }
put() { ask -X PUT -H 'Content-Type: application/json' "$elastic/$1" --data-binary "@/elasticsearch/$2"; }

ask -X POST -H 'Content-Type: application/json' "$elastic/_security/user/kibana_system/_password" \
    --data-binary @- <<< "{\"password\": \"$KIBANA_PASSWORD\"}"
put _ilm/policy/marketplace ilm.json
put _ingest/pipeline/marketplace pipeline.json
put _index_template/marketplace template.json
ask -X POST -H 'kbn-xsrf: setup' "$kibana/api/saved_objects/_import?overwrite=true" \
    --form file=@/kibana/objects.ndjson
echo "logs are set up"
