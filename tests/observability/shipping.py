"""The path of lines to Elasticsearch: the effect of Filebeat's and Logstash's configuration.

The steps are Docker's file, Filebeat's parsers and added fields, Logstash's filters, and the ingest
pipeline. A parser or filter that is not simulated here fails the test that uses it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import yaml

from tests.observability.ingest import Document, through_pipeline
from tests.observability.log_path import FILEBEAT, LOGSTASH, conf, texts


def in_docker(part: str, lines: Iterable[str]) -> list[str]:
    """Return the lines as Docker's `json-file` driver writes them, with the tag of Compose."""
    attributes = {"tag": f"marketplace-{part}-1"}
    return [
        json.dumps({"log": f"{line}\n", "stream": "stdout", "attrs": attributes, "time": "t"})
        for line in lines
    ]


def shipped(source: str, lines: Iterable[str]) -> Iterator[Document]:
    """Yield the result for the lines of one file that Filebeat's input `source` reads."""
    found = {each["id"]: each for each in yaml.safe_load(texts()[FILEBEAT])["filebeat.inputs"]}
    filters = conf(texts()[LOGSTASH])["filter"]
    for event in _filebeat(found[source], lines):
        for name, options in filters.items():
            FILTERS[name](event, options)
        message = event.pop("message")
        yield through_pipeline(message, **event)


def _filebeat(settings: dict[str, Any], lines: Iterable[str]) -> Iterator[Document]:
    events: Iterable[Document] = ({"message": line} for line in lines)
    for parser in settings.get("parsers", ()):
        ((name, options),) = parser.items()
        events = PARSERS[name](events, options)
    for event in events:
        event |= {"agent": {"type": "filebeat"}, "ecs": {}, "input": {"type": "filestream"}}
        event["log"] = {"offset": 0, "file": {"path": settings["paths"][0]}}
        for step in settings["processors"]:
            ((name, options),) = step.items()
            assert (name, options["target"]) == ("add_fields", "")
            event |= options["fields"]
        yield event


def _container(events: Iterable[Document], options: Document) -> Iterator[Document]:
    assert options == {"stream": "all", "format": "docker"}
    for event in events:
        line = json.loads(event["message"])
        yield {
            "message": line["log"].removesuffix("\n"),
            "stream": line["stream"],
            "docker": {"attrs": line["attrs"]},
        }


def _multiline(events: Iterable[Document], options: Document) -> Iterator[Document]:
    assert (options["type"], options["negate"], options["match"]) == ("pattern", False, "after")
    whole: Document | None = None
    for event in events:
        if whole is not None and re.search(options["pattern"], event["message"]):
            whole["message"] += f"\n{event['message']}"
            continue
        if whole is not None:
            yield whole
        whole = event
    if whole is not None:
        yield whole


def _mutate(event: Document, options: Document) -> None:
    assert set(options) == {"remove_field"}
    for field in options["remove_field"]:
        *folders, name = re.findall(r"\[([^\]]+)\]", field) or [field]
        place = event
        for folder in folders:
            place = place.get(folder, {})
        place.pop(name, None)


PARSERS = {"container": _container, "multiline": _multiline}
FILTERS = {"mutate": _mutate}
