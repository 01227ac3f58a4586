"""The log pipeline: real output arrives with its fields in the right places, masked."""

from __future__ import annotations

import io
import json
import re
from fnmatch import fnmatch
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import structlog

from codegen.tests.documents import read_yaml
from devstack import gateway
from devstack.settings import ROOT, Settings
from lib import context, log
from tests.observability.ingest import ELK, MAPPED, PROCESSORS, through_pipeline


@pytest.fixture
def service_line() -> str:
    """Return a line as every service writes it."""
    stream = io.BytesIO()
    before = structlog.get_config()
    token = context.request_id.set("order-4711.a")
    try:
        log.configure("user", stream=stream)
        log.get_logger("http").warning("request", method="GET", route="/users", status=404)
    finally:
        context.request_id.reset(token)
        structlog.configure(**before)
    return stream.getvalue().decode()


def test_a_service_s_line_is_found_by_its_request_id(service_line):
    found = through_pipeline(service_line)
    assert (found["kind"], found["service"], found["request_id"]) == (
        "service", "user", "order-4711.a",
    )  # fmt: skip
    assert (found["level"], found["event_name"], found["status"]) == ("warning", "request", 404)
    assert found["@timestamp"].endswith("Z")


def test_a_gateway_s_line_is_found_by_the_same_request_id(tmp_path: Path):
    template = gateway.render(Settings.read({}), tmp_path)
    written = "".join(
        re.findall(r"^        '(.*)';?$", template.split("log_format json")[1], re.MULTILINE)
    )
    line = written.partition("}")[0] + "}"
    values = {"status": "200", "body_bytes_sent": "5", "request_length": "9", "request_time": "0.1"}
    values |= {"connection": "7", "connection_requests": "1"}
    line = re.sub(r"\$(\w+)", lambda m: values.get(m[1], f"a {m[1]}"), line)
    found = through_pipeline(line)
    assert (found["kind"], found["service"]) == ("gateway", "gateway")
    assert found["request_id"] == "a request_id_out"
    assert found["@timestamp"] == "a time_iso8601"
    assert (found["status"], found["duration_ms"]) == (200, 100)


@pytest.mark.parametrize(
    "line",
    [
        "2026-01-01 10:00:00.000 UTC [42] LOG:  database system is ready to accept connections",
        'Traceback (most recent call last):\n  File "x.py", line 1\nValueError: no',
        "{this is no JSON",
    ],
)
def test_other_lines_stay_as_they_are(line):
    assert through_pipeline(line) == {"message": line, "kind": "text"}


def test_personal_data_in_text_is_masked():
    found = through_pipeline("mail to jo.doe+x@example.org failed: Authorization: Bearer ab.c-d")
    assert found["message"] == "mail to *** failed: Authorization: Bearer ***"


def test_what_opens_something_in_an_address_is_masked():
    found = through_pipeline(
        'connect() failed (111), request: "GET /api/x?token=aB-1_2.c HTTP/1.1", '
        'upstream: "http://10.0.0.1/f?expires=1&signature=00ff", host: "shop"'
    )
    assert found["message"] == (
        'connect() failed (111), request: "GET /api/x?token=*** HTTP/1.1", '
        'upstream: "http://10.0.0.1/f?expires=1&signature=***", host: "shop"'
    )


# What must not arrive, in lines as our parts and their servers write them.
ATTACKS = {
    "an address": ("mail to {} failed", "jo.doe+x@example.org"),
    "an address beyond ASCII": ("mail to <{}> failed", "jörg.müller@exämple.org"),
    "an encoded address": ("GET /verify?to={}&x=1", "jo%2Bx%40example.org"),
    "an address in a path": ("GET /users/{} HTTP/1.1", "j%C3%B6rg+x@ex%C3%A4mple.org"),
    "an address after an escape": ("no such user:\n{}\tfor", "jo@example.org"),
    "a token": ("GET /f?x=1&access_token={} HTTP/1.1", "aB-1_2.c~d/e+f=="),
    "a signed link": ("GET /f?X-Amz-Signature={}&x=1", "00ffab/=="),
    "a header": ('"Authorization": "Basic {}"', "am86c2VjcmV0"),
    "a bare token": ("cannot read {}", "eyJhbGciOi.eyJzdWIiOiJ4In0.c2ln-_8"),
    "a cookie": ("header cookie: {}", "session=abcdef; theme=dark"),
    "a password in a form": ("body password={}&x=1", "hunter2!"),
    "a password in an address": ("cannot connect to postgresql://order:{}@db/order", "s3cr:et"),
    "a value that is taken": (
        "DETAIL:  Key (phone_number)=({}) already exists.",
        "995555123456",
    ),
    "a row that is refused": ("DETAIL:  Failing row contains ({}).", "0189, Ann (Lee), 1990-01-01"),
    "parameters": ("CONTEXT: unnamed portal with parameters: {}", "$1 = 'Ann', $2 = 'Lee'"),
    "a value that MariaDB has": ("(1062, Duplicate entry '{}' for key 'name')", "Ann Lee"),
    "a telephone": ("calls {} now", "+49 (170) 123-4567"),
}
CARRIERS = {
    "a server": lambda text: text,
    "an exception of a service": lambda text: written(error=text, deep={"er": {"still": text}}),
    "the gateway": lambda text: json.dumps(
        {"time": "a", "upstream_addr": "b", "path": text, "user_agent": text, "status": 200,
         "duration": 0.1}, ensure_ascii=False,
    ),
    "nginx's own": lambda text: (
        f'2026/01/01 10:00:00 [error] 7#7: *1 connect() failed, request: "{text}", host: "shop", '
        f'referrer: "https://x/{text}"'
    ),
}  # fmt: skip


def written(**fields: Any) -> str:
    """Return a line of a service without masking."""
    line = {"event": "failed", "service": "user", "level": "error", "timestamp": "a"} | fields
    return json.dumps(line, ensure_ascii=False)


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("attack", ATTACKS)
def test_personal_data_and_secrets_are_masked_wherever_they_are(attack, carrier):
    text, secret = ATTACKS[attack]
    line = CARRIERS[carrier](text.format(secret))
    found = through_pipeline(line)
    arrived = json.dumps(found, ensure_ascii=False)
    assert secret not in arrived
    for part in re.findall(r"\w{4,}", secret):
        assert part not in arrived
    # What is around stays, and a line that was JSON still is.
    assert text.split()[0].split("=")[0] in arrived.replace('\\"', '"')
    assert found["kind"] == {
        "an exception of a service": "service", "the gateway": "gateway",
    }.get(carrier, "text")  # fmt: skip


@pytest.mark.parametrize(
    "line",
    [
        "2026-01-01 10:00:00.000 UTC [42] LOG:  checkpoint complete: wrote 3 buffers (0.0%)",
        '10.0.0.1 - - [01/Jan/2026:10:00:00 +0000] "GET /a HTTP/1.1" 200 5 "-" "curl/8" 0.001',
        "1:M 01 Jan 2026 10:00:00.000 * Ready to accept connections tcp",
        "ts=2026-01-01T10:00:00.000Z caller=main.go:1 level=info msg=ready token_count=3",
        "2026-01-01 10:00:00 0 [Note] mariadbd: ready for connections. socket: '/x' port: 3306",
        "basic settings were read, the key (id) is known",
    ],
)
def test_what_names_nobody_is_left_alone(line):
    assert through_pipeline(line)["message"] == line


def test_a_line_of_a_server_is_found_by_the_name_of_its_part():
    compose = read_yaml(ROOT / "docker-compose.yml")
    for part in ("postgres", "nginx-exporter"):
        assert compose["services"][part]["logging"]["options"]["tag"] == "{{.Name}}"
        tag = f"{compose['name']}-{part}-1"  # as compose names its containers
        found = through_pipeline("LOG:  ready", docker={"attrs": {"tag": tag}})
        assert (found["kind"], found["service"]) == ("text", part)
    assert "service" not in through_pipeline("LOG:  ready", docker={"attrs": {"tag": "a-stranger"}})


def test_no_part_may_talk_to_docker_to_find_the_others_lines():
    assert "docker.sock" not in (ELK / "filebeat/filebeat.yml").read_text()
    assert "docker.sock" not in (ROOT / "docker-compose.yml").read_text()


@pytest.fixture
def metricbeat() -> dict[str, Any]:
    return read_yaml(ELK / "metricbeat/metricbeat.yml")


def test_metricbeat_asks_each_server_of_the_pipeline_where_compose_has_it(metricbeat):
    parts = read_yaml(ROOT / "docker-compose.yml")["services"]
    asked = {module["module"]: module for module in metricbeat["metricbeat.modules"]}
    assert set(asked) == {"elasticsearch", "kibana", "logstash"}
    for name, module in asked.items():
        (host,) = module["hosts"]
        assert urlsplit(host).hostname == name
        assert parts[name]["profiles"] == ["elk"]
        assert module["period"] == "10s"
        # A password is sent where TLS is, and to Kibana, which has none inside.
        assert ("password" not in module) == (name == "logstash")
    assert asked["elasticsearch"]["hosts"][0].startswith("https:")


def test_metricbeat_may_add_to_its_own_stream_and_change_nothing(metricbeat):
    output = metricbeat["output.elasticsearch"]
    writer = json.loads((ELK / "elasticsearch/metrics_writer.json").read_text())
    template = json.loads((ELK / "elasticsearch/metrics.json").read_text())
    patterns = [*writer["indices"][0]["names"], *template["index_patterns"]]
    assert all(fnmatch(output["index"], pattern) for pattern in patterns)
    assert writer["indices"][0]["privileges"] == ["auto_configure", "create_doc"]
    assert writer["cluster"] == ["monitor"]
    # So it must not try to set up what it may not.
    assert metricbeat["setup.template.enabled"] is metricbeat["setup.ilm.enabled"] is False
    assert template["template"]["lifecycle"]["data_retention"] == "30d"


def test_metricbeat_has_its_own_password_and_no_way_to_docker(metricbeat):
    part = read_yaml(ROOT / "docker-compose.yml")["services"]["metricbeat"]
    assert part["env_file"] == ["deploy/docker/secrets/metricbeat.env"]
    assert not [volume for volume in part["volumes"] if "/var/" in volume]
    named = set(re.findall(r"\$\{(\w+)\}", (ELK / "metricbeat/metricbeat.yml").read_text()))
    script = (ROOT / "deploy/docker/secrets.sh").read_text()
    (line,) = [line for line in script.splitlines() if line.startswith("env metricbeat ")]
    assert set(re.findall(r'"(\w+)=', line)) == named
    setup = (ELK / "setup/setup.sh").read_text()
    assert "_security/user/metricbeat" in setup
    assert "metricbeat" in re.search(r"^for name in .*elastic.*$", script, re.MULTILINE)[0].split()


def test_kibana_draws_requests_errors_and_latency_of_fields_that_are_indexed():
    objects = [
        json.loads(line) for line in (ELK / "kibana/objects.ndjson").read_text().splitlines()
    ]
    known = {(one["type"], one["id"]) for one in objects}
    for one in objects:
        assert {(r["type"], r["id"]) for r in one["references"]} <= known, one["id"]
    charts = [one for one in objects if one["type"] == "visualization"]
    titles = " ".join(one["attributes"]["title"] for one in charts)
    assert [word for word in ("Requests", "Errors", "Latency") if word not in titles] == []
    for chart in charts:
        state = json.loads(chart["attributes"]["visState"])
        fields = {a["params"]["field"] for a in state["aggs"] if "field" in a["params"]}
        assert fields <= {*MAPPED["properties"], "@timestamp"}, chart["id"]
    (board,) = [one for one in objects if one["type"] == "dashboard"]
    panels = json.loads(board["attributes"]["panelsJSON"])
    named = {reference["name"]: reference["id"] for reference in board["references"]}
    assert {named[panel["panelRefName"]] for panel in panels} >= {one["id"] for one in charts}


def test_masking_ends_before_anything_is_read_or_may_fail():
    kinds = [next(iter(step)) for step in PROCESSORS]
    assert "gsub" not in kinds[kinds.index("json") :]


def test_no_line_is_lost_or_makes_the_index_grow():
    """A term over 32766 bytes, or a word in a number, would make the document invalid."""
    template = json.loads((ELK / "elasticsearch/template.json").read_text())["template"]
    assert template["settings"]["index.mapping.ignore_malformed"] is True
    assert MAPPED["dynamic"] is False  # what a container is labelled with is a stranger's to say
    for name, options in MAPPED["properties"].items():
        of_lines = {o.get("target_field") for step in PROCESSORS for o in step.values()}
        if options.get("type") in {"keyword", "flattened"} and name in of_lines:
            assert options["ignore_above"] * 4 <= 32766, name
    assert json.loads((ELK / "elasticsearch/pipeline.json").read_text())["on_failure"]


def test_every_field_that_the_pipeline_names_has_a_type():
    named = {options.get("target_field") for step in PROCESSORS for options in step.values()}
    assert named - {None, "line"} <= set(MAPPED["properties"])


@pytest.mark.parametrize(
    ("line", "continues"),
    [
        ('  File "x.py", line 3, in f', True),
        ("Traceback (most recent call last):", True),
        ("ValueError: no", True),
        ("asyncpg.exceptions.PostgresError: gone", True),
        ('{"event":"request"}', False),
        ("2026-01-01 10:00:00 UTC [42] LOG:  ready", False),
    ],
)
def test_a_traceback_stays_one_event(line, continues):
    beat = read_yaml(ELK / "filebeat/filebeat.yml")
    rule = beat["filebeat.inputs"][0]["parsers"][1]["multiline"]
    assert bool(re.search(rule["pattern"], line)) is continues


def test_saved_objects_refer_to_one_another_and_to_mapped_fields():
    lines = (ELK / "kibana/objects.ndjson").read_text().splitlines()
    objects = {(o["type"], o["id"]): o for o in map(json.loads, lines)}
    for saved in objects.values():
        for reference in saved["references"]:
            assert (reference["type"], reference["id"]) in objects
        for column in saved["attributes"].get("columns", ()):
            assert column in MAPPED["properties"]


def test_every_stage_of_the_collector_s_pipeline_is_configured():
    config = read_yaml(ROOT / "observability/tracing/collector.yml")
    for pipeline in config["service"]["pipelines"].values():
        for stage, names in pipeline.items():
            assert set(names) <= set(config[stage])
