"""A simulation of Elasticsearch's ingest pipeline, which applies its processors to one line."""

from __future__ import annotations

import json
import re
from typing import Any

from devstack.settings import ROOT

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
    "ctx.kind == 'gateway' && ctx.line.duration instanceof Number": lambda d: (
        d["kind"] == "gateway" and isinstance(d["line"]["duration"], float)
    ),
    "ctx.service == null && ctx.docker?.attrs?.part != null": lambda d: (
        "service" not in d and "part" in d.get("docker", {}).get("attrs", {})
    ),
}


def through_pipeline(message: str, **around: Any) -> Document:
    """Apply the pipeline's processors to a line."""
    document: Document = {"message": message, **around}
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
    if "value" in options:
        document[options["field"]] = options["value"]
        return
    found: Any = document
    for name in options["copy_from"].split("."):
        found = found[name]
    document[options["field"]] = found


def _date(document: Document, options: Document) -> None:
    document["@timestamp"] = document["line"][options["field"].removeprefix("line.")]


def _rename(document: Document, options: Document) -> None:
    value = _take(document, options["field"])
    assert value is not None or options["ignore_missing"]
    if value is not None:
        document[options["target_field"]] = value


def _gsub(document: Document, options: Document) -> None:
    r"""Replace as Java does: `\w` and `\s` are ASCII, and `$1` is a group."""
    text = options["replacement"].replace("$1", r"\g<1>")
    replaced = re.sub(options["pattern"], text, document[options["field"]], flags=re.ASCII)
    document[options["field"]] = replaced


def _dissect(document: Document, options: Document) -> None:
    assert options["ignore_missing"]
    assert options["ignore_failure"]
    before, _, target = options["pattern"].removesuffix("}").partition("%{")
    tag = document.get("docker", {}).get("attrs", {}).get("tag", "")
    if tag.startswith(before):
        document["docker"]["attrs"][target.rpartition(".")[2]] = tag.removeprefix(before)


def _script(document: Document, options: Document) -> None:
    if "lastIndexOf" in options["source"]:  # without the number of the replica
        part = document["docker"]["attrs"]["part"]
        document["service"] = part.rpartition("-")[0] or part
        return
    assert options["source"] == "ctx.duration_ms = ctx.line.duration * 1000"
    document["duration_ms"] = document["line"]["duration"] * 1000


def _remove(document: Document, options: Document) -> None:
    for field in options["field"]:
        _take(document, field)


STEPS = {
    "json": _json, "set": _set, "date": _date, "rename": _rename, "gsub": _gsub, "remove": _remove,
    "script": _script, "dissect": _dissect,
}  # fmt: skip
