"""Loki, Tempo and Grafana: addresses lead from a service's setting to Grafana's data sources."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from codegen.tests.documents import read_yaml
from devstack.settings import ROOT

FOLDER = ROOT / "observability" / "lgtm"
Files = dict[str, Any]


@pytest.fixture
def files() -> Files:
    found = {name: read_yaml(FOLDER / f"{name}.yml") for name in ("collector", "loki", "tempo")}
    found["compose"] = read_yaml(ROOT / "docker-compose.yml")
    sources = ROOT / "observability" / "grafana" / "provisioning" / "datasources"
    found["sources"] = [
        source
        for name in ("lgtm", "prometheus")
        for source in read_yaml(sources / f"{name}.yml")["datasources"]
    ]
    found["readme"] = (FOLDER / "README.md").read_text()
    return copy.deepcopy(found)


def problems(files: Files) -> Iterator[str]:
    """Return the places where an address leads nowhere."""
    parts = {n: p for n, p in files["compose"]["services"].items() if "lgtm" in p["profiles"]}
    collector = files["collector"]
    otlp = files["tempo"]["distributor"]["receivers"]["otlp"]["protocols"]["grpc"]["endpoint"]
    listening = {
        "loki": {str(files["loki"]["server"]["http_listen_port"])},
        "tempo": {str(files["tempo"]["server"]["http_listen_port"]), otlp.rpartition(":")[2]},
        "prometheus": {"9090"},
    }
    exporters = {
        name: (each or {}).get("endpoint") for name, each in collector["exporters"].items()
    }
    sources = {s["name"]: s["url"] for s in files["sources"] if s["name"] != "Jaeger"}
    for name, address in {**exporters, **sources}.items():
        if address is None:
            continue
        place = urlsplit(address if "//" in address else f"//{address}")
        if place.hostname not in parts:
            yield f"{name} leads to {place.hostname}, which the profile does not start"
        elif str(place.port) not in listening[place.hostname]:
            yield f"{name} leads to a port on which {place.hostname} does not listen"
    receiver = collector["receivers"]["otlp"]["protocols"]["http"]["endpoint"].rpartition(":")[2]
    if f"ENDPOINT=http://lgtm-collector:{receiver}" not in files["readme"]:
        yield "the README sends services elsewhere"
    for kind in ("logs", "traces", "metrics"):
        if kind not in collector["service"]["pipelines"]:
            yield f"the collector refuses {kind}"
    for pipeline in collector["service"]["pipelines"].values():
        for stage, names in pipeline.items():
            if missing := set(names) - set(collector[stage]):
                yield f"{stage} lacks {missing}"
    known = {source["uid"] for source in files["sources"]}
    for source in files["sources"]:
        data = source.get("jsonData", {})
        named = [field["datasourceUid"] for field in data.get("derivedFields", ())]
        named += [data["tracesToLogsV2"]["datasourceUid"]] if "tracesToLogsV2" in data else []
        if unknown := set(named) - known:
            yield f"{source['name']} leads to the data source {unknown}"
    yield from _files_of(parts, files)


def _files_of(parts: dict[str, Any], files: Files) -> Iterator[str]:
    """A part's configuration and data are mounted at the paths that it reads."""
    stores = files["tempo"]["storage"]["trace"]
    data = {
        "loki": [files["loki"]["common"]["path_prefix"]],
        "tempo": [stores["wal"]["path"], stores["local"]["path"]],
        "lgtm-collector": [],
    }
    for name, folders in data.items():
        mounts = dict(volume.split(":")[1::-1] for volume in parts[name]["volumes"])
        (config,) = (word.partition("=")[2] for word in parts[name]["command"] if "config" in word)
        if config not in mounts or not (ROOT / mounts[config]).is_file():
            yield f"{name} looks for {config}, which is not mounted"
        for folder in folders:
            if not any(folder.startswith(place) and "/" not in mounts[place] for place in mounts):
                yield f"{name} writes to {folder}, which is no volume"


def test_every_address_leads_to_a_part_of_the_profile(files):
    assert [*problems(files)] == []


def _set(*path: Any) -> Callable[[Files], None]:
    *folders, name, value = path

    def edit(files: Files) -> None:
        place: Any = files
        for folder in folders:
            place = place[folder]
        place[name] = value

    return edit


BREAKS: dict[str, tuple[Callable[[Files], None], str]] = {
    "Loki's port": (_set("loki", "server", "http_listen_port", 3101), "on which loki"),
    "Tempo's port": (
        _set("tempo", "distributor", "receivers", "otlp", "protocols", "grpc", "endpoint", "0:1"),
        "on which tempo",
    ),
    "a host": (_set("collector", "exporters", "otlp/tempo", "endpoint", "jaeger:4317"), "jaeger"),
    "the collector's port": (
        _set("collector", "receivers", "otlp", "protocols", "http", "endpoint", "0.0.0.0:4444"),
        "README",
    ),
    "an exporter": (
        _set("collector", "service", "pipelines", "logs", "exporters", ["loki"]), "exporters lacks"
    ),
    "a data source": (_set("sources", 0, "url", "http://loki:3200"), "Loki leads to a port"),
    "a trace's data source": (
        _set("sources", 0, "jsonData", "derivedFields", 0, "datasourceUid", "jaeger-2"), "jaeger-2"
    ),
    "a volume": (_set("compose", "services", "tempo", "volumes", 1, "tempo:/tempo"), "no volume"),
    "a configuration": (
        _set("compose", "services", "loki", "command", ["-config.file=/loki.yml"]), "not mounted"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BREAKS)
def test_a_break_is_noticed(name, files):
    edit, expected = BREAKS[name]
    edit(files)
    assert any(expected in problem for problem in problems(files)), [*problems(files)]
