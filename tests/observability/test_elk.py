"""The log pipeline: what our parts really write arrives with its fields in their places, masked."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
import structlog
import yaml

from lib import context, log
from services._stack import gateway
from services._stack.settings import ROOT, Settings

ELK = ROOT / "observability" / "elk"
PROCESSORS = json.loads((ELK / "elasticsearch/pipeline.json").read_text())["processors"]
MAPPED = json.loads((ELK / "elasticsearch/template.json").read_text())["template"]["mappings"]
Document = dict[str, Any]
# The pipeline's conditions as Elasticsearch reads them; one that is not here fails the test.
CONDITIONS = {
    "ctx.message != null && ctx.message.startsWith('{')": lambda d: d["message"].startswith("{"),
    "ctx.line?.upstream_addr != null": lambda d: "upstream_addr" in d.get("line", {}),
    "ctx.kind == null && ctx.line?.event != null": lambda d: (
        "kind" not in d and "event" in d.get("line", {})
    ),
    "ctx.kind == null": lambda d: "kind" not in d,
    "ctx.kind == 'service'": lambda d: d["kind"] == "service",
    "ctx.kind == 'gateway'": lambda d: d["kind"] == "gateway",
}


def through_pipeline(message: str) -> Document:
    """Do to a line what the pipeline's processors say."""
    document: Document = {"message": message}
    for step in PROCESSORS:
        ((kind, options),) = step.items()
        if "if" in options and not CONDITIONS[options["if"]](document):
            continue
        STEPS[kind](document, options)
    return document


def _take(document: Document, path: str) -> Any:
    *folders, name = path.split(".")
    for folder in folders:
        document = document.get(folder, {})
    return document.pop(name, None)


def _json(document: Document, options: Document) -> None:
    try:
        document[options["target_field"]] = json.loads(document[options["field"]])
    except ValueError:
        assert options["ignore_failure"]


def _set(document: Document, options: Document) -> None:
    document[options["field"]] = options["value"]


def _date(document: Document, options: Document) -> None:
    document["@timestamp"] = document["line"][options["field"].removeprefix("line.")]


def _rename(document: Document, options: Document) -> None:
    value = _take(document, options["field"])
    assert value is not None or options["ignore_missing"]
    if value is not None:
        document[options["target_field"]] = value


def _gsub(document: Document, options: Document) -> None:
    replaced = re.sub(options["pattern"], options["replacement"], document[options["field"]])
    document[options["field"]] = replaced


def _remove(document: Document, options: Document) -> None:
    for field in options["field"]:
        _take(document, field)


STEPS = {
    "json": _json, "set": _set, "date": _date, "rename": _rename, "gsub": _gsub, "remove": _remove,
}  # fmt: skip


@pytest.fixture
def service_line() -> str:
    """A line as every service writes it."""
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
    line = re.sub(r"\$(\w+)", lambda m: values.get(m[1], f"a {m[1]}"), line)
    found = through_pipeline(line)
    assert (found["kind"], found["service"]) == ("gateway", "gateway")
    assert found["request_id"] == "a request_id_out"
    assert found["@timestamp"] == "a time_iso8601"
    assert found["status"] == 200


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
    beat = yaml.safe_load((ELK / "filebeat/filebeat.yml").read_text())
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
    config = yaml.safe_load((ROOT / "observability/tracing/collector.yml").read_text())
    for pipeline in config["service"]["pipelines"].values():
        for stage, names in pipeline.items():
            assert set(names) <= set(config[stage])
