"""The path of a line from its file to Kibana, read from the configuration of every part.

`problems` follows paths, ports, certificates, accounts, streams, pipelines and fields through
Compose, NGINX, Filebeat, Logstash, Elasticsearch and Kibana. A parser for its format reads each
file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import yaml
from logstash_pipeline_parser import Pipeline

from devstack.settings import ROOT

COMPOSE = "docker-compose.yml"
NGINX = "deploy/docker/gateway/nginx.conf"
SECRETS = "deploy/docker/secrets.sh"
ELK = "observability/elk"
FILEBEAT = f"{ELK}/filebeat/filebeat.yml"
LOGSTASH = f"{ELK}/logstash/pipeline/logs.conf"
SETUP = f"{ELK}/setup/setup.sh"
CERTIFICATES = f"{ELK}/setup/certificates.sh"
WRITER = f"{ELK}/elasticsearch/writer.json"
TEMPLATE = f"{ELK}/elasticsearch/template.json"
PIPELINE = f"{ELK}/elasticsearch/pipeline.json"
KIBANA = f"{ELK}/kibana/objects.ndjson"
FILES = (
    COMPOSE, NGINX, SECRETS, FILEBEAT, LOGSTASH, SETUP, CERTIFICATES, WRITER, TEMPLATE, PIPELINE,
    KIBANA,
)  # fmt: skip
# Where Docker's `json-file` driver writes on the host, and what it adds to a line.
DOCKER_LOGS = "/var/lib/docker/containers"
DOCKER_FILE = "0123abcd/0123abcd-json.log"
DOCKER_TAG = "docker.attrs.tag"


def texts() -> dict[str, str]:
    """Return the committed files by their names."""
    return {name: (ROOT / name).read_text() for name in FILES}


def conf(text: str) -> dict[str, dict[str, dict[str, Any]]]:
    """Return the settings of Logstash's plugins, by section and plugin."""
    return {
        section: {
            plugin: {str(name): values[0] for name, values in settings}
            for plugin, settings in plugins
        }
        for section, plugins in Pipeline(text).parse()
    }


@dataclass(frozen=True)
class LogPath:
    """The parsed files."""

    texts: Mapping[str, str]

    @cached_property
    def compose(self) -> dict[str, Any]:
        return yaml.load(self.texts[COMPOSE], yaml.CSafeLoader)  # ten times as fast

    @cached_property
    def filebeat(self) -> dict[str, Any]:
        return yaml.safe_load(self.texts[FILEBEAT])

    @cached_property
    def logstash(self) -> dict[str, dict[str, dict[str, Any]]]:
        return conf(self.texts[LOGSTASH])

    def json(self, name: str) -> dict[str, Any]:
        return json.loads(self.texts[name])

    @property
    def elasticsearch(self) -> dict[str, Any]:
        return self.logstash["output"]["elasticsearch"]

    @property
    def stream(self) -> str:
        parts = ("type", "dataset", "namespace")
        return "-".join(str(self.elasticsearch[f"data_stream_{part}"]) for part in parts)

    @property
    def mapped(self) -> set[str]:
        return set(_leaves(self.json(TEMPLATE)["template"]["mappings"]["properties"]))

    def source(self, service: str, path: str) -> str:
        """Return the source of a path in a container: `volume:/rest` or `host path:/rest`."""
        for volume in self.compose["services"][service].get("volumes", ()):
            source, target = volume.split(":")[:2]
            if PurePosixPath(path).is_relative_to(target):
                rest = PurePosixPath(path).relative_to(target)
                return f"{source}:/{rest}"
        return ""


def problems(texts: Mapping[str, str], lines: Mapping[str, set[str]]) -> list[str]:
    """Return the problems that keep lines from arriving, in sentences.

    Args:
        texts: the files by their names.
        lines: the keys of real lines, by kind: `service`, `gateway`.
    """
    path = LogPath(texts)
    rules = (_read, _transport, _storage, _identities)
    found = [problem for rule in rules for problem in rule(path)]
    return found + list(_fields(path, lines))


def _read(path: LogPath) -> Iterator[str]:
    """Each file that is written is read once, and each file that is read is written."""
    written = {f"{DOCKER_LOGS}:/{DOCKER_FILE}"}
    for log in re.findall(
        r'^\s*(?:access|error)_log\s+"?([^";\s]+)', path.texts[NGINX], re.MULTILINE
    ):
        if log not in ("off", "stderr"):  # a container's own output is Docker's
            written.add(path.source("gateway", log) or f"gateway writes {log} to no volume")
    read = [
        (pattern, path.source("filebeat", pattern) or f"filebeat has no volume for {pattern}")
        for each in path.filebeat["filebeat.inputs"]
        for pattern in each["paths"]
    ]
    for place in sorted(written):
        readers = [pattern for pattern, source in read if fnmatch(place, source)]
        if len(readers) != 1:
            yield f"{place} is read {len(readers)} times"
    for pattern, source in read:
        if not any(fnmatch(place, source) for place in written):
            yield f"nothing writes {pattern} ({source})"
    for name, service in path.compose["services"].items():
        if service.get("logging", {}).get("driver") != "json-file":
            yield f"the output of {name} is in no file"


def _transport(path: LogPath) -> Iterator[str]:
    """Filebeat's host and port are those of Logstash, and each trusts the other's certificate."""
    output, beats = path.filebeat["output.logstash"], path.logstash["input"]["beats"]
    for address in output["hosts"]:
        host, _, port = address.partition(":")
        if host != "logstash" or not path.compose["services"].get(host):
            yield f"filebeat sends to {host}"
        if port != str(beats["port"]):
            yield f"filebeat sends to port {port}, logstash listens on {beats['port']}"
    if beats["ssl_enabled"] is not True or "ssl" not in output:
        yield "filebeat and logstash do not agree on TLS"
    made = _certificates(path)
    wanted = [
        ("filebeat", output["ssl"]["certificate_authorities"][0]),
        ("logstash", beats["ssl_certificate"]),
        ("logstash", beats["ssl_key"]),
        ("logstash", path.elasticsearch["ssl_certificate_authorities"][0]),
    ]
    for service, file in wanted:
        if path.source(service, str(file)) not in made:
            yield f"nothing makes {file} of {service}"
    if "/certificates/logstash/" not in str(beats["ssl_certificate"]):
        yield "the certificate of logstash bears another name"


def _certificates(path: LogPath) -> set[str]:
    script = path.texts[CERTIFICATES]
    names = re.search(r"^ +for name in (.*); do$", script, re.MULTILINE)[1].split()
    files = {f"{name}/{name}.{ending}" for name in names for ending in ("crt", "key")}
    return {f"certificates:/{file}" for file in {*files, "ca/ca.crt"}}


def _storage(path: LogPath) -> Iterator[str]:
    """Logstash's stream has a template, a pipeline, a policy and a data view with its name."""
    setup, template = path.texts[SETUP], path.json(TEMPLATE)
    put = dict(re.findall(r"^put (\S+) (\S+)$", setup, re.MULTILINE))
    elastic = re.search(r"^elastic=(\S+)$", setup, re.MULTILINE)[1]
    if path.elasticsearch["hosts"] != [elastic]:
        yield f"logstash sends to {path.elasticsearch['hosts']}, setup prepares {elastic}"
    server = path.compose["services"][urlsplit(elastic).hostname]
    if f":{urlsplit(elastic).port}/" not in str(server["healthcheck"]["test"]):
        yield f"elasticsearch does not listen on the port of {elastic}"
    if not any(fnmatch(path.stream, pattern) for pattern in template["index_patterns"]):
        yield f"no template is for the stream {path.stream}"
    settings = template["template"]["settings"]
    for place, file in (
        (f"_ingest/pipeline/{settings['index.default_pipeline']}", "pipeline.json"),
        (f"_ilm/policy/{settings['index.lifecycle.name']}", "ilm.json"),
        ("_index_template/marketplace", "template.json"),
    ):
        if put.get(place) != file:
            yield f"setup does not put {file} at {place}"
    user = path.elasticsearch["user"]
    role = re.search(rf'_security/user/{user} <<< .*"roles\\": \[\\"(\w+)\\"\]', setup)
    if role is None or put.get(f"_security/role/{role[1]}") != "writer.json":
        yield f"setup makes no account {user} with the role of writer.json"
    allowed = [name for each in path.json(WRITER)["indices"] for name in each["names"]]
    if not any(fnmatch(path.stream, name) for name in allowed):
        yield f"{user} may not write to {path.stream}"
    (variable,) = re.findall(r"\$\{(\w+)\}", path.elasticsearch["password"])
    if not re.search(rf'^env logstash "{variable}=', path.texts[SECRETS], re.MULTILINE):
        yield f"nobody gives logstash {variable}"
    for saved in _saved(path):
        title = saved["attributes"]["title"]
        if saved["type"] == "index-pattern" and not fnmatch(path.stream, title):
            yield f"Kibana looks at {title}, lines are in {path.stream}"


def _identities(path: LogPath) -> Iterator[str]:
    """A server's line is identified by the tag that Compose makes Docker write into it."""
    tags = {
        service.get("logging", {}).get("options", {}).get("tag")
        for service in path.compose["services"].values()
    }
    if tags != {"{{.Name}}"}:
        yield f"containers are tagged {sorted(map(str, tags))}"
    (cut,) = (step["dissect"] for step in path.json(PIPELINE)["processors"] if "dissect" in step)
    if cut["field"] != DOCKER_TAG:
        yield f"the pipeline looks for the tag in {cut['field']}, Filebeat has it in {DOCKER_TAG}"
    if not cut["pattern"].startswith(f"{path.compose['name']}-%{{"):
        yield f"containers are called {path.compose['name']}-…, the pipeline knows {cut['pattern']}"
    removed = [_dotted(f) for f in path.logstash["filter"]["mutate"]["remove_field"]]
    for needed in (DOCKER_TAG, "message", "source", "@timestamp", "docker.attrs"):
        if any(needed == name or needed.startswith(f"{name}.") for name in removed):
            yield f"logstash removes {needed}"


def _fields(path: LogPath, lines: Mapping[str, set[str]]) -> Iterator[str]:
    """The pipeline reads keys that lines have, and writes fields that are mapped and shown."""
    keys = set().union(*lines.values())
    steps = [(kind, o) for s in path.json(PIPELINE)["processors"] for kind, o in s.items()]
    made = {"@timestamp", "message", "duration_ms", "fields"}
    for each in path.filebeat["filebeat.inputs"]:
        made |= {name for step in each["processors"] for name in step["add_fields"]["fields"]}
    for kind, options in steps:
        field = options.get("field", ())
        named = {*([field] if isinstance(field, str) else field)}
        named |= set(re.findall(r"\bctx\.(line\??\.\w+)", options.get("if", "")))
        for name in sorted(name.replace("?", "") for name in named):
            if name.startswith("line.") and name.removeprefix("line.") not in keys:
                yield f"the pipeline reads {name}, which no line has"
        target = options.get("target_field") or (field if kind == "set" else "")
        if target and target != "line":
            made.add(target)
            if target not in path.mapped:
                yield f"the pipeline writes {target}, which the template does not map"
    for saved in _saved(path):
        for name in sorted(_shown(saved)):
            if name not in made or name not in path.mapped:
                yield f"Kibana's {saved['id']} shows {name}, which no line gets"


def _saved(path: LogPath) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.texts[KIBANA].splitlines()]


def _shown(saved: dict[str, Any]) -> set[str]:
    attributes = saved["attributes"]
    found = {*attributes.get("columns", ()), *(name for name, _ in attributes.get("sort", ()))}
    if "visState" in attributes:
        aggregations = json.loads(attributes["visState"])["aggs"]
        found |= {a["params"]["field"] for a in aggregations if "field" in a["params"]}
    source = attributes.get("kibanaSavedObjectMeta", {}).get("searchSourceJSON", "{}")
    query = json.loads(source).get("query", {}).get("query", "")
    return found | set(re.findall(r"([\w.@]+)\s*(?::|[<>]=?)", query))


def _leaves(properties: dict[str, Any], before: str = "") -> Iterator[str]:
    for name, options in properties.items():
        if "properties" in options:
            yield from _leaves(options["properties"], f"{before}{name}.")
        else:
            yield f"{before}{name}"


def _dotted(field: str) -> str:
    """Return Logstash's `[log][offset]` as `log.offset`."""
    return ".".join(re.findall(r"\[([^\]]+)\]", field)) or field
