"""The gateway's log is rotated under load: no line is lost, and the log stays within its limits."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from devstack import gateway
from devstack.embedded import children
from devstack.embedded.home import Home
from devstack.embedded.ports import free_port
from devstack.monitoring import exporter_program, monitoring_programs, rotation_program
from devstack.settings import MONITORING_PORTS, ROOT, Settings
from devstack.testing.wait import eventually
from tests.ops.gateways import running

SCRIPT = ROOT / "nginx" / "rotate.sh"
MIB = 1 << 20
LONG = {"User-Agent": "x" * 6000}  # so that a megabyte is not many requests


@pytest.fixture
def settings(run_dir: Path) -> Settings:
    return Settings(
        home=Home(run_dir),
        gateway_port=free_port(),
        services=(),
        environ={"GATEWAY_LOG_MIB": "1", "GATEWAY_LOG_FILES": "2"},
        monitoring={name: free_port() for name in MONITORING_PORTS},
    )


@pytest.fixture
async def nginx(settings: Settings) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of a gateway whose log is rotated by size and counted, as in the stack."""
    account, config = gateway.prepare(settings)
    started = []
    async with running(account, config, settings.gateway_port):
        for part in (rotation_program(settings, seconds=0.05), exporter_program(settings)):
            started.append(children.spawn(part.command, log=subprocess.DEVNULL, env=part.env))
            await eventually(part.ready)
        async with aiohttp.ClientSession(f"http://127.0.0.1:{settings.gateway_port}") as session:
            yield session
        for child in reversed(started):
            await asyncio.to_thread(children.stop, child, within=5)


async def exported(settings: Settings) -> dict[str, float]:
    """Return the exporter's values, summed over labels."""
    found: dict[str, float] = {}
    url = f"http://127.0.0.1:{settings.monitoring['NGINX_EXPORTER_PORT']}/metrics"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        for family in text_string_to_metric_families(await answer.text()):
            for sample in family.samples:
                found[sample.name] = found.get(sample.name, 0) + sample.value
    return found


async def test_a_log_that_is_rotated_under_load_is_counted_to_the_line(nginx, settings):
    folder = settings.home.path / "nginx"
    asked, rotations, largest = 0, 0, 0

    async def all_counted() -> bool:
        return (await exported(settings)).get("nginx_http_requests_total") == asked

    while rotations < 4:
        begun = (folder / "access.log").stat().st_ino

        async def is_rotated(before: int = begun) -> bool:
            try:
                return (folder / "access.log").stat().st_ino != before
            except FileNotFoundError:  # renamed, and NGINX has not opened the next one yet
                return False

        for _ in range(190):  # somewhat more than a megabyte
            async with nginx.get("/docs/", headers=LONG) as answer:
                await answer.read()
                asked += 1
        await eventually(is_rotated)
        rotations += 1
        await eventually(all_counted)
        largest = max(largest, *(path.stat().st_size for path in folder.glob("access.log*")))
        assert len(list(folder.glob("access.log*"))) == min(rotations, 2) + 1

    async def all_rotations_seen() -> bool:
        return (await exported(settings))["nginx_exporter_rotations_total"] == rotations

    await eventually(all_rotations_seen)
    seen = await exported(settings)
    assert seen["nginx_exporter_lost_files_total"] == seen["nginx_exporter_parse_errors_total"] == 0
    assert largest < 2 * MIB


def test_the_stack_has_the_log_rotated_whatever_else_it_lacks(settings):
    said: list[str] = []
    with socket.create_server(("127.0.0.1", settings.monitoring["NGINX_EXPORTER_PORT"])):
        found = {part.name for part in monitoring_programs(settings, said.append)}
    assert "log-rotation" in found
    assert "continuing without nginx-exporter" in said[0]


@pytest.mark.parametrize("name", ["GATEWAY_LOG_MIB", "GATEWAY_LOG_FILES"])
@pytest.mark.parametrize("value", ["0", "-1", "1.5", "many", "100000", "007"])
def test_a_bound_that_is_no_number_is_refused(name, value, tmp_path):
    (tmp_path / "access.log").write_bytes(bytes(2 * MIB))
    done = subprocess.run(
        ["sh", SCRIPT, tmp_path], env={**os.environ, name: value}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (
        2,
        f"{name}: {value} is not a number from 1 to 99999\n",
    )
    assert [path.name for path in tmp_path.iterdir()] == ["access.log"]


def test_a_log_that_goes_to_the_output_is_left_alone(tmp_path):
    (tmp_path / "elsewhere").write_bytes(bytes(2 * MIB))
    (tmp_path / "access.log").symlink_to(tmp_path / "elsewhere")
    env = {**os.environ, "GATEWAY_LOG_MIB": "1"}
    subprocess.run(["sh", SCRIPT, tmp_path], env=env, check=True)
    assert {path.name for path in tmp_path.iterdir()} == {"access.log", "elsewhere"}


def test_without_a_running_nginx_the_log_is_renamed_and_somebody_told(tmp_path):
    (tmp_path / "access.log").write_bytes(bytes(2 * MIB))
    done = subprocess.run(
        ["sh", SCRIPT, tmp_path], env={**os.environ, "GATEWAY_LOG_MIB": "1"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert [path.name for path in tmp_path.iterdir()] == ["access.log.1"]
    assert "NGINX is not there" in done.stderr
