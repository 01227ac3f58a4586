"""A real Prometheus over the running stack: what dashboards ask for and rules name is there."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from uuid import UUID

import aiohttp
import pytest
from prometheus_client import CollectorRegistry

from devstack.settings import ROOT, service_names
from devstack.testing.auth import TestIssuer
from devstack.testing.components import program
from lib.auth import SigningKey
from lib.events.metrics import ConsumerMetrics
from observability.grafana.panels import Dashboard, Needs, Panel
from services.user.config import UserConfig
from services.user.points_client import open_points
from tests.documents import read_yaml
from tests.services.running import points_reader
from tools.rendered import all_dashboards

# Two scrapes of a new series, and an evaluation of the rules.
SETTLE_SECONDS = 120.0
PATHS = (
    "/api/users/v1/users",
    "/api/departments/v1/departments",
    "/api/products/v1/products",
    "/api/orders/v1/orders",
    "/api/catalogs/v1/category-types",
    "/api/chats/v1/channels",
    "/x/y",
)
# Series of components that only a container deployment has, of replicas and of backups.
ELSEWHERE = re.compile(
    r"^(container_\w+|probe_\w+|(pg|mysql|redis)_up|db_server_certificate_\w+"
    r"|db_replica_\w+|backup_\w+)$"
)
ALICE = UUID("01890000-0000-7000-8000-000000000001")


class Prometheus:
    """What a test asks the stack's Prometheus."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def ask(self, path: str, **params: str):
        async with self._session.get(f"/api/v1/{path}", params=params) as answer:
            body = await answer.json()
        assert body["status"] == "success", f"{params}: {body.get('error')}"
        return body["data"]

    async def query(self, expr: str) -> list[dict]:
        return (await self.ask("query", query=expr))["result"]

    async def names(self, selector: str = "") -> set[str]:
        wanted = {"match[]": selector} if selector else {}
        return set(await self.ask("label/__name__/values", **wanted))


@pytest.fixture
async def prometheus(stack) -> AsyncIterator[Prometheus]:
    """The stack's Prometheus, while every service is asked a little."""
    program("prometheus")
    base = f"http://127.0.0.1:{stack.port('PROMETHEUS_PORT')}"
    async with aiohttp.ClientSession(base) as session:
        load = asyncio.create_task(_load(stack))
        yield Prometheus(session)
        load.cancel()
        with suppress(asyncio.CancelledError):
            await load


async def _load(stack) -> None:
    """Ask the services with an API through the gateway, and the one with gRPC directly."""
    config = UserConfig(
        _env_file=None,
        database_url="postgresql://x/y",
        point_grpc_address=f"127.0.0.1:{stack.port('POINT_GRPC_PORT')}",
        points_seconds=10,
    )
    key = SigningKey.from_pem((stack.secrets / "user_signing_keys").read_text())
    tokens = points_reader(TestIssuer(key, name=stack.url))
    async with (
        open_points(config, tokens, registry=CollectorRegistry()) as points,
        aiohttp.ClientSession(stack.url, headers=stack.authorized()) as session,
    ):
        while True:
            for path in PATHS:
                with suppress(aiohttp.ClientConnectionError):
                    async with session.get(path) as answer:
                        await answer.read()
            await points.of_users([ALICE])
            await asyncio.sleep(0.2)


async def test_every_service_and_the_exporter_are_scraped(prometheus):
    await _until_scraped(prometheus)


async def test_every_panel_of_every_dashboard_returns_data(prometheus):
    await _until_scraped(prometheus)
    present = service_names()
    pages = [
        page
        for page in all_dashboards()
        if not page.uid.startswith("service-") or page.uid.removeprefix("service-") in present
    ]
    empty = [(page, panel, expr) for page in pages for panel, expr in _queries(page)]
    assert len(empty) > 100
    deadline = time.monotonic() + SETTLE_SECONDS
    while empty and time.monotonic() < deadline:
        empty = [item for item in empty if await _is_missing(prometheus, *item[1:])]
        await asyncio.sleep(0.5)
    assert [f"{page.title} / {panel.title}: {expr}" for page, panel, expr in empty] == []


async def test_every_metric_that_a_rule_names_exists(prometheus):
    exposed = CollectorRegistry()
    ConsumerMetrics(exposed, "any")  # of services that follow a stream; not every stack has one
    streams = {f"{m.name}{'_total' * (m.type == 'counter')}" for m in exposed.collect()}
    deadline = time.monotonic() + SETTLE_SECONDS
    unknown: set[str] = {"everything"}
    while unknown and time.monotonic() < deadline:
        known = await prometheus.names() | streams
        unknown = {name for name in _named_in_rules() - known if not ELSEWHERE.match(name)}
        await asyncio.sleep(0.5)
    assert unknown == set()


async def test_a_quiet_stack_fires_no_alert(prometheus):
    firing = await prometheus.query('ALERTS{alertstate="firing",severity="critical"}')
    assert firing == []


async def _until_scraped(prometheus: Prometheus) -> None:
    deadline = time.monotonic() + SETTLE_SECONDS
    wanted = {*service_names(), "nginx-exporter", "prometheus"}
    up: set[str] = set()
    while up != wanted:
        assert time.monotonic() < deadline, f"not scraped: {wanted - up}"
        up = {sample["metric"]["job"] for sample in await prometheus.query("up == 1")}
        await asyncio.sleep(0.2)


def _queries(page: Dashboard) -> list[tuple[Panel, str]]:
    """The queries that can have data here: nothing about containers or a status page."""
    able = (Needs.PLATFORM, Needs.FEATURE)
    return [
        (panel, expr)
        for panel in page.panels()
        if panel.needs in able
        for expr in panel.queries.values()
    ]


def _filled_in(expr: str) -> str:
    """The query as Grafana sends it while every variable says All."""
    return re.sub(r"\$\w+", ".*", expr.replace("$__rate_interval", "1m"))


async def _is_missing(prometheus: Prometheus, panel: Panel, expr: str) -> bool:
    if await prometheus.query(_filled_in(expr)):
        return False
    return panel.needs is Needs.PLATFORM or await _is_exposed(prometheus, expr)


async def _is_exposed(prometheus: Prometheus, expr: str) -> bool:
    """Does the job of a query expose what it asks for? A feature need not be everywhere."""
    job = re.search(r'job="[^"]+"', expr)
    exposed = await prometheus.names(f"{{{job[0]}}}" if job else "")
    return any(name in exposed for name in _metrics(expr))


def _named_in_rules() -> set[str]:
    found: set[str] = set()
    for file in (ROOT / "observability/prometheus/rules").glob("*.yml"):
        for group in read_yaml(file)["groups"]:
            for rule in group["rules"]:
                found |= _metrics(rule["expr"])
    return found


def _metrics(expr: str) -> set[str]:
    """The names of series in an expression: words that are no labels, functions or keywords."""
    bare = re.sub(r"\{[^}]*\}|\[[^]]*\]|\b(by|on)\s*\([^)]*\)", " ", expr)
    words = re.findall(r"\b[a-zA-Z_:][\w:]*\b(?!\s*\()", bare)
    return {word for word in words if word not in {"or", "and", "sum", "max", "min", "e7"}}
