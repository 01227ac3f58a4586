"""A real Prometheus with the running stack: each panel, alert and recording rule has data."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import aiohttp
import pytest
from prometheus_client import CollectorRegistry

from codegen.tests.documents import read_yaml
from devstack.settings import ROOT, Settings, service_names
from devstack.testing.auth import TestIssuer
from devstack.testing.components import program
from lib.auth import SigningKey
from services.user.config import UserConfig
from services.user.points_client import open_points
from tests.e2e.test_examples import PAGE, examples, run
from tests.open_path import open_path
from tests.services.running import points_reader
from tools.rendered import all_dashboards

K = TypeVar("K")
# Two scrapes of a new series, and an evaluation of the rules.
SETTLE_SECONDS = 120.0
# One of each service, and one that there is not.
PATHS = (*(open_path(one.name) for one in Settings.read({}).services if one.public), "/x/y")
# Dashboards that have no data on this stack, and why; each says so in its description.
EMPTY_DASHBOARDS = {
    "containers": "cAdvisor runs beside containers only",
    "replicas": "no database of the stack has a replica",
}
# Alerts about parts that the stack does not have. Their cases in tests/alerts.yml make them fire.
EMPTY_ALERTS = {
    "CertificateExpires": "the stack's gateway has no TLS, so no exporter looks at a certificate",
    "GatewayUnreachable": "the stack's gateway has no TLS, so no exporter looks at a certificate",
    "DatabaseCertificateExpires": "the embedded databases have no TLS",
    "DatabaseReplicaOut": "no database of the stack has a replica",
    "DatabaseDown": "the databases' exporters run in containers only",
    "ContainerMemory": "cAdvisor runs beside containers only",
    "BackupTooOld": "the stack makes no backups",
}
# More lines than LogLinesLost forgives in 15 minutes: one alert fires, so its table has a row.
UNREADABLE_LINES = 3000
ALICE = UUID("01890000-0000-7000-8000-000000000001")


class Prometheus:
    """The queries that a test sends to the stack's Prometheus."""

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
    """The stack's Prometheus, while every service gets some requests."""
    program("prometheus")
    base = f"http://127.0.0.1:{stack.port('PROMETHEUS_PORT')}"
    async with aiohttp.ClientSession(base) as session:
        load = asyncio.create_task(_load(stack))
        yield Prometheus(session)
        load.cancel()
        with suppress(asyncio.CancelledError):
            await load


@pytest.fixture(scope="module")
def busy(stack) -> None:
    """Cause all measured events: run the examples page, and write a log with bad lines."""
    program("prometheus")
    run([e for e in examples(PAGE.read_text()) if e.section != "Prometheus"], stack)
    with (Path(stack.environ["RUN_DIR"]) / "nginx" / "access.log").open("a") as log:
        log.write("not a line of the gateway\n" * UNREADABLE_LINES)
    asyncio.run(_flood(stack))  # with chat


async def _load(stack) -> None:
    """Send requests to the HTTP services through the gateway, and to the gRPC service directly."""
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


async def _flood(stack) -> None:  # with chat
    """Send frames to a chat socket until the service closes it."""
    async with (
        aiohttp.ClientSession(stack.url, headers=stack.authorized()) as http,
        http.ws_connect("/api/chats/v1/ws") as socket,
    ):
        while not socket.closed:
            with suppress(ConnectionError):
                for _ in range(50):
                    await socket.send_str("{}")
            await socket.receive()


async def test_every_service_and_the_exporter_are_scraped(prometheus):
    await _until_scraped(prometheus)


async def test_every_panel_of_every_dashboard_has_data(busy, prometheus):
    await _until_scraped(prometheus)
    queries = [
        (page.uid, f"{panel.title}: {expr}", _filled_in(expr))
        for page in all_dashboards()
        for panel in page.panels()
        for expr in panel.queries.values()
    ]
    assert len(queries) > 200
    known = {(uid, text) for uid, text, _ in queries if uid in EMPTY_DASHBOARDS}
    expressions = {(uid, text): expr for uid, text, expr in queries}
    assert await _empty(prometheus, expressions, known) == known


async def test_every_alert_asks_for_series_that_exist(busy, prometheus):
    """If each comparison returns a bool, an alert returns 0 or 1 for each watched series."""
    alerts = {rule["alert"]: _as_question(rule["expr"]) for rule in _rules() if "alert" in rule}
    assert len(alerts) > 25
    assert await _empty(prometheus, alerts, set(EMPTY_ALERTS)) == set(EMPTY_ALERTS)


async def test_every_recording_rule_has_data(busy, prometheus):
    records = {rule["record"]: rule["record"] for rule in _rules() if "record" in rule}
    assert len(records) > 20
    assert await _empty(prometheus, records, set()) == set()


async def test_a_quiet_stack_fires_no_alert(prometheus):
    # How fast requests are depends on what else this machine does.
    quiet = 'ALERTS{alertstate="firing",severity="critical",alertname!~"LatencyBudget.*"}'
    firing = await prometheus.query(quiet)
    assert firing == []


async def _until_scraped(prometheus: Prometheus) -> None:
    deadline = time.monotonic() + SETTLE_SECONDS
    wanted = {*service_names(), "nginx-exporter", "prometheus"}
    up: set[str] = set()
    while up != wanted:
        assert time.monotonic() < deadline, f"not scraped: {wanted - up}"
        up = {sample["metric"]["job"] for sample in await prometheus.query("up == 1")}
        await asyncio.sleep(0.2)


async def _empty(prometheus: Prometheus, expressions: Mapping[K, str], known: set[K]) -> set[K]:
    """Wait until every expression outside `known` has data; return all expressions without data.

    So if an expression in `known` has data, the comparison fails, because it is no exception any
    more.
    """
    deadline = time.monotonic() + SETTLE_SECONDS
    left = set(expressions)
    while left - known and time.monotonic() < deadline:
        left = {key for key in left if not await prometheus.query(expressions[key])}
        await asyncio.sleep(0.5)
    print(f"{len(expressions) - len(left)} of {len(expressions)} have data")
    return left


def _filled_in(expr: str) -> str:
    """Return the query as Grafana sends it if every variable is set to All."""
    return re.sub(r"\$\w+", ".*", expr.replace("$__rate_interval", "2m"))


def _as_question(expr: str) -> str:
    return re.sub(r"(?<![=!])([<>]=?|[!=]=)(?![~=])(?=\s)", r"\1 bool", expr)


def _rules() -> list[dict[str, str]]:
    files = sorted((ROOT / "observability/prometheus/rules").glob("*.yml"))
    return [rule for file in files for g in read_yaml(file)["groups"] for rule in g["rules"]]
