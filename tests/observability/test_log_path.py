"""A line is followed through the files of every part; each kind of break is detected."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from devstack import gateway
from devstack.settings import Settings
from lib import context, log
from lib.http.middleware import access_log
from lib.http.middleware.exchange import Exchange
from lib.http.route import RouteFacts
from lib.limits.client_address import TrustedProxies
from tests.observability.log_path import (
    COMPOSE,
    FILEBEAT,
    KIBANA,
    LOGSTASH,
    NGINX,
    PIPELINE,
    SETUP,
    TEMPLATE,
    WRITER,
    conf,
    problems,
    texts,
)
from tests.observability.shipping import in_docker, shipped

Edit = tuple[str, str, str]


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Return the keys of the real lines of services and gateway."""
    return {
        "service": set(_service_line()),
        "gateway": set(_gateway_keys(tmp_path_factory.mktemp("gateway"))),
    }


def _service_line() -> dict[str, object]:
    stream, before = io.BytesIO(), structlog.get_config()
    request_id = context.request_id.set("order-4711.a")
    log.trace.pass_on(f"00-{'1' * 32}-{'2' * 16}-01")
    try:
        log.configure("user", stream=stream)
        request = make_mocked_request("GET", "/api/v1/users")
        exchange = Exchange(request, RouteFacts(request.match_info.route), TrustedProxies(()))
        access_log.answered(exchange, web.Response(status=404), 0.25)
    finally:
        log.trace.pass_on(None)
        context.request_id.reset(request_id)
        structlog.configure(**before)
    return json.loads(stream.getvalue())


def _gateway_keys(folder: Path) -> list[str]:
    rendered = gateway.render(Settings.read({}), folder)
    directive = re.search(r"log_format json .*?;", rendered, re.DOTALL)[0]
    return re.findall(r'"(\w+)":', directive)


def test_every_line_s_way_is_whole(lines):
    assert problems(texts(), lines) == []


BREAKS: dict[str, tuple[Edit, str]] = {
    "the port of Filebeat": (
        (FILEBEAT, "logstash:5044", "logstash:5045"),
        "filebeat sends to port 5045, logstash listens on 5044",
    ),
    "the port of Logstash": ((LOGSTASH, "port => 5044", "port => 5000"), "listens on 5000"),
    "the port of Elasticsearch": ((LOGSTASH, ":9200", ":9201"), "setup prepares"),
    "the host": ((FILEBEAT, "logstash:5044", "logstach:5044"), "filebeat sends to logstach"),
    "TLS on one side": ((LOGSTASH, "ssl_enabled => true", "ssl_enabled => false"), "TLS"),
    "a certificate that nobody makes": (
        (LOGSTASH, "logstash/logstash.crt", "logstash/server.crt"),
        "nothing makes /certificates/logstash/server.crt",
    ),
    "an authority that is not mounted": (
        (COMPOSE, "certificates:/certificates:ro\n    depends", "certificates:/ca:ro\n    depends"),
        "nothing makes /certificates/ca/ca.crt of filebeat",
    ),
    "the data stream": (
        (LOGSTASH, 'dataset => "marketplace"', 'dataset => "market"'),
        "no template is for the stream logs-market-default",
    ),
    "the stream of the template": (
        (TEMPLATE, '["logs-marketplace-*"]', '["logs-shop-*"]'),
        "no template is for",
    ),
    "the stream of the account": ((WRITER, "logs-marketplace-*", "logs-shop-*"), "may not write"),
    "the stream of Kibana": ((KIBANA, '"logs-marketplace-*"', '"logs-shop-*"'), "Kibana looks at"),
    "the pipeline": (
        (TEMPLATE, 'default_pipeline": "marketplace"', 'default_pipeline": "lines"'),
        "setup does not put pipeline.json",
    ),
    "the policy": ((SETUP, "put _ilm/policy/marketplace", "put _ilm/policy/m"), "ilm.json"),
    "the account": ((LOGSTASH, '"logstash_writer"', '"logstash"'), "no account logstash"),
    "the password": ((LOGSTASH, "${LOGSTASH_PASSWORD}", "${LS_PASSWORD}"), "nobody gives"),
    "a file that nobody reads": (
        (FILEBEAT, "/var/lib/gateway/access.log*", "/var/log/gateway/access.log*"),
        "gateway:/access.log is read 0 times",
    ),
    "a file that the gateway writes elsewhere": (
        (NGINX, "/var/lib/gateway/access.log", "/var/lib/gateway/requests.log"),
        "gateway:/requests.log is read 0 times",
    ),
    "one more file of the gateway": (
        (NGINX, "error_log stderr warn", "error_log /var/lib/gateway/error.log warn"),
        "gateway:/error.log is read 0 times",
    ),
    "a volume under another path": (
        (COMPOSE, "gateway:/var/lib/gateway:ro\n      - f", "gateway:/gateway:ro\n      - f"),
        "filebeat has no volume",
    ),
    "output of a container that is in no file": (
        (COMPOSE, "driver: json-file", "driver: local"),
        "the output of postgres is in no file",
    ),
    "a label of containers": (
        (COMPOSE, 'tag: "{{.Name}}"', 'tag: "{{.ID}}"'),
        "containers are tagged ['{{.ID}}']",
    ),
    "a label that the pipeline looks for": (
        (PIPELINE, '"docker.attrs.tag"', '"docker.labels.tag"'),
        "Filebeat has it in docker.attrs.tag",
    ),
    "the name of the project": ((COMPOSE, "name: marketplace", "name: shop"), "shop-"),
    "a label that Logstash removes": (
        (LOGSTASH, '"[agent]"', '"[docker]"'),
        "logstash removes docker.attrs.tag",
    ),
    "a key that no line has": (
        (PIPELINE, "line.request_id", "line.rid"),
        "the pipeline reads line.rid, which no line has",
    ),
    "a field that is not mapped": (
        (PIPELINE, '"target_field": "route"', '"target_field": "template"'),
        "writes template, which the template does not map",
    ),
    "a column of Kibana": (
        (KIBANA, '"columns":["service"', '"columns":["container"'),
        "shows container, which no line gets",
    ),
    "a question of Kibana": ((KIBANA, "kind: service", "type: service"), "shows type"),
}  # fmt: skip


@pytest.mark.parametrize("name", BREAKS)
def test_a_break_in_the_way_is_noticed(name, lines):
    (file, before, after), expected = BREAKS[name]
    broken = texts()
    assert before in broken[file]
    broken[file] = broken[file].replace(before, after)
    found = problems(broken, lines)
    assert any(expected in problem for problem in found), found


@pytest.mark.parametrize("key", ["request_id", "level", "status", "route", "event"])
def test_a_key_that_services_rename_is_noticed(key, lines):
    renamed = {"service": lines["service"] - {key}, "gateway": lines["gateway"] - {key}}
    found = problems(texts(), renamed)
    assert f"the pipeline reads line.{key}, which no line has" in found


def test_a_traceback_of_a_container_arrives_as_one_event_under_its_name():
    traceback = ["Traceback (most recent call last):", '  File "x.py", line 1', "ValueError: no"]
    ready = "2026-01-01 10:00:00 UTC [42] LOG:  ready"
    whole, last = shipped("containers", in_docker("postgres", [*traceback, ready]))
    assert (whole["message"], last["message"]) == ("\n".join(traceback), ready)
    for event in (whole, last):
        assert (event["service"], event["source"], event["kind"]) == (
            "postgres",
            "container",
            "text",
        )
        assert not {"agent", "ecs", "input"} & set(event)


def _malformed(text: str) -> Iterator[str]:
    yield text.replace("port => 5044", "port 5044")
    yield text.replace("port => 5044", "port =>")
    yield text.rstrip().removesuffix("}")
    yield text.replace("filter {", "filters {")
    yield text.replace('"[agent]",', '"[agent],')


@pytest.mark.parametrize("number", range(5))
def test_logstash_s_file_is_read_by_its_grammar(number):
    text = texts()[LOGSTASH]
    with pytest.raises(Exception, match="Expected"):
        conf([*_malformed(text)][number])
