"""Prometheus, the Alertmanager and its receivers: real programs with our files."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from codegen.tests.documents import read_yaml
from devstack.embedded import children
from devstack.embedded.ports import free_port
from devstack.programs import answers
from devstack.settings import ROOT
from devstack.testing.components import program
from devstack.testing.serving import served
from devstack.testing.wait import eventually

FOLDER = ROOT / "observability"
HOST = "127.0.0.1"
# What is waited for in production: groups gather, a rule has to hold for a while.
PATIENCE = re.compile(r"(group_wait|group_interval|for|scrape_interval|evaluation_interval): \S+")


def impatient(text: str) -> str:
    return PATIENCE.sub(lambda found: f"{found[1]}: {0 if found[1] == 'for' else 1}s", text)


@dataclass
class Manager:
    port: int
    told: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def messages(self, receiver: str) -> list[dict[str, Any]]:
        return [part for body in self.told.get(receiver, ()) for part in body["attachments"]]

    def titles(self, receiver: str) -> list[str]:
        return [message["title"] for message in self.messages(receiver)]


@asynccontextmanager
async def running(*command: str | Path, port: int) -> AsyncIterator[None]:
    process = children.spawn([str(part) for part in command], log=subprocess.DEVNULL)
    try:
        await eventually(answers(port, "/-/ready"), within=60)
        yield
    finally:
        await asyncio.to_thread(children.stop, process, within=10)


@pytest.fixture
async def manager(tmp_path, aiohttp_server) -> AsyncIterator[Manager]:
    """The Alertmanager with our configuration; it sends to a receiver of the test."""
    found = Manager(free_port())

    async def hear(request: web.Request) -> web.Response:
        found.told.setdefault(request.match_info["receiver"], []).append(await request.json())
        return web.Response(text="ok")

    app = web.Application()
    app.add_routes([web.post("/{receiver}", hear)])
    server = await aiohttp_server(app)
    for receiver in ("on_call", "team"):
        (tmp_path / f"alert_{receiver}_url").write_text(f"http://{HOST}:{server.port}/{receiver}")
    config = tmp_path / "alertmanager.yml"
    text = (FOLDER / "alertmanager" / "alertmanager.yml").read_text()
    config.write_text(impatient(text.replace("/run/secrets", str(tmp_path))))
    command = [program("prometheus-alertmanager", "alertmanager"), f"--config.file={config}"]
    command += [f"--storage.path={tmp_path / 'kept'}", f"--web.listen-address={HOST}:{found.port}"]
    async with running(*command, "--cluster.listen-address=", port=found.port):
        yield found


async def test_whoever_is_on_call_hears_of_a_service_that_is_down_and_that_it_is_back(
    manager, tmp_path
):
    port, service = free_port(), free_port()
    folder = tmp_path / "prometheus"
    shutil.copytree(FOLDER / "prometheus", folder)
    for file in (folder / "prometheus.yml", *folder.glob("rules/*.yml")):
        file.write_text(impatient(file.read_text()).replace("timeout: 4s", "timeout: 1s"))
    named = {
        "targets": [
            {"targets": [f"{HOST}:{service}"], "labels": {"job": "user", "kind": "service"}}
        ],
        "alertmanagers": [{"targets": [f"{HOST}:{manager.port}"]}],
    }
    for name, groups in named.items():
        (folder / name).mkdir()
        (folder / name / "test.json").write_text(json.dumps(groups))
    command = [program("prometheus"), f"--config.file={folder / 'prometheus.yml'}"]
    command += [f"--storage.tsdb.path={tmp_path / 'data'}", f"--web.listen-address={HOST}:{port}"]
    async with running(*command, port=port):
        await eventually(lambda: "FIRING ServiceDown" in manager.titles("on_call"), within=60)
        (message,) = (m for m in manager.messages("on_call") if "ServiceDown" in m["title"])
        assert f"user at {HOST}:{service} does not respond." in message["text"]
        assert "docs/runbook.md#servicedown, /d/service-user" in message["text"]

        async def metrics(_: web.Request) -> web.Response:
            return web.Response(text="app_build_info 1\n")

        app = web.Application()
        app.add_routes([web.get("/metrics", metrics)])
        async with served(app, port=service):
            await eventually(lambda: "RESOLVED ServiceDown" in manager.titles("on_call"), within=60)
    assert manager.titles("team") == []


# Who fires, and whom it keeps quiet: the same job, unless the cause is everybody's.
@pytest.mark.parametrize(
    ("cause", "quiet", "told"),
    [
        ("ServiceDown user", "PoolExhausted user", "PoolExhausted order"),
        ("ErrorBudgetBurnsFast user", "ErrorBudgetBurnsSlowly user",
         "ErrorBudgetBurnsSlowly order"),
        ("LatencyBudgetBurnsFast user", "LatencyBudgetBurnsSlowly user",
         "ErrorBudgetBurnsSlowly user"),
        ("DatabaseDown redis-exporter", "OutboxLags order", "CertificateExpires order"),
    ],
)  # fmt: skip
async def test_what_a_worse_alert_explains_is_not_told_besides(manager, cause, quiet, told):
    rules = (FOLDER / "prometheus" / "rules").glob("*.yml")
    known = {
        rule["alert"]: rule["labels"]["severity"]
        for file in rules
        for group in read_yaml(file)["groups"]
        for rule in group["rules"]
        if "alert" in rule
    }
    alerts = [
        {"labels": {"alertname": name, "job": job, "severity": known[name]}, "annotations": {}}
        for name, job in (each.split() for each in (cause, quiet, told))
    ]
    states: dict[str, str] = {}
    async with aiohttp.ClientSession(f"http://{HOST}:{manager.port}") as session:
        async with session.post("/api/v2/alerts", json=alerts) as answer:
            assert answer.status == 200

        async def settled() -> bool:
            async with session.get("/api/v2/alerts") as answer:
                for alert in await answer.json():
                    labels = alert["labels"]
                    states[f"{labels['alertname']} {labels['job']}"] = alert["status"]["state"]
            return "unprocessed" not in states.values() and len(states) == 3

        for name, receiver in ((told, "team"), (cause, "on_call")):
            title = f"FIRING {name.split()[0]}"
            await eventually(lambda: title in manager.titles(receiver))  # noqa: B023 - at once
        await eventually(settled)
    assert states == {cause: "active", quiet: "suppressed", told: "active"}
