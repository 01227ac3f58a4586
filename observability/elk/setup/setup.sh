#!/usr/bin/env bash
# Tells Elasticsearch and Kibana what they hold: accounts, policy, pipeline, template, saved objects.
# May be run again at any time.
set -euo pipefail
elastic=https://elasticsearch:9200
kibana=${KIBANA_URL:-http://kibana:5601}
ask() { curl --silent --show-error --fail --retry 30 --retry-delay 5 --retry-all-errors \
    --cacert /certificates/ca/ca.crt --user "elastic:$ELASTIC_PASSWORD" "$@" > /dev/null; }
put() { ask -X PUT -H 'Content-Type: application/json' "$elastic/$1" --data-binary "@/elasticsearch/$2"; }
# Passwords come through a pipe: a command line is there for all to read.
say() { ask -X "$1" -H 'Content-Type: application/json' "$elastic/$2" --data-binary @-; }

say POST _security/user/kibana_system/_password <<< "{\"password\": \"$KIBANA_PASSWORD\"}"
put _security/role/logstash_writer writer.json
say PUT _security/user/logstash_writer <<< "{\"password\": \"$LOGSTASH_PASSWORD\", \"roles\": [\"logstash_writer\"]}"
put _security/role/metrics_writer metrics_writer.json
say PUT _security/user/metricbeat <<< "{\"password\": \"$METRICBEAT_PASSWORD\", \"roles\": [\"remote_monitoring_collector\", \"metrics_writer\"]}"
put _ilm/policy/marketplace ilm.json
put _ingest/pipeline/marketplace pipeline.json
put _index_template/marketplace template.json
put _index_template/metrics-marketplace metrics.json
ask -X POST -H 'kbn-xsrf: setup' "$kibana/api/saved_objects/_import?overwrite=true" \
    --form file=@/kibana/objects.ndjson
echo "logs are set up"
