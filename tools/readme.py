"""Parts of README.md that depend on the services: their diagram and their list."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from devstack.settings import CALLERS, ROOT, Service, Settings

README: Final = ROOT / "README.md"
# Whom a service calls, and on which port.
Calls: TypeAlias = Mapping[str, Sequence[tuple[str, int]]]
_PICTURE: Final = re.compile(r"(?<=^```mermaid\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)
_SERVICES: Final = re.compile(
    r"\[\w+\]\(services/\w+/README\.md\)(, \[\w+\]\(services/\w+/README\.md\))*"
)


def with_services(text: str, settings: Settings, calls: Calls) -> str:
    """Return the text of README.md with the diagram and the list of the existing services."""
    picture = "".join(f"{line}\n" for line in _picture(settings.services, calls))
    links = ", ".join(f"[{one.name}](services/{one.name}/README.md)" for one in settings.services)
    text = _PICTURE.sub(lambda _: picture, text, count=1)
    return _SERVICES.sub(lambda _: links, text, count=1)


def _picture(services: Sequence[Service], calls: Calls) -> Iterator[str]:
    every = " & ".join(one.name for one in services)
    yield "flowchart LR"
    yield "    caller([caller]) --> nginx[NGINX gateway :8080]"
    for one in services:
        if one.public:
            socket = ", WebSocket" if one.websocket else ""
            yield f"    nginx -->|/api/{one.plural}/v1{socket}| {one.name}[{one.name} :{one.port}]"
        else:
            yield f"    {one.name}[{one.name} :{one.grpc_port or one.port}]"
    yield from _called(services, calls)
    verifying = " & ".join(one.name for one in services if one.name != "user")
    yield f"    {verifying} -.->|public keys of tokens| user"
    yield f"    {every} -->|limits, events, cache, fan-out| redis[(Redis)]"
    with_database = " & ".join(one.name for one in services if one.database)
    yield f"    {with_database} --- databases[(PostgreSQL 18:<br/>one database per service)]"
    if dual := [p.parent.name for p in sorted((ROOT / "migrations").glob("*/mysql"))]:
        yield f"    {' & '.join(dual)} -.->|or with a mysql:// URL| mysql[(MySQL / MariaDB)]"
    yield "    sql[sql/ + migrations/] -->|aiosqlc| store[services/*/store]"
    yield "    nginx -->|access log| exporter[log exporter :9150]"
    yield f"    exporter & {every} -->|/metrics| prometheus[Prometheus :9090]"
    yield "    prometheus --> grafana[Grafana]"


def _called(services: Sequence[Service], calls: Calls) -> Iterator[str]:
    """Yield the calls from one service to another, except the calls that only fetch token keys."""
    http = {one.name: one.port for one in services}
    for caller in sorted(calls):
        over: dict[str, list[str]] = {"HTTP": [], "gRPC": []}
        for name, port in calls[caller]:
            if name != "user" or caller in CALLERS:
                over["HTTP" if port == http[name] else "gRPC"].append(name)
        for how, names in over.items():
            if names:
                yield f"    {caller} -->|{how}, deadline, breaker| {' & '.join(names)}"
