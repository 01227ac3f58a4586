"""The permissions of each deployed Redis user: a server with the list that `secrets.sh` makes."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis
from redis.exceptions import AuthenticationError, NoPermissionError

from devstack.embedded import children
from devstack.embedded.ports import free_port
from devstack.embedded.redis import binary
from devstack.settings import ROOT
from devstack.testing.wait import eventually


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docker")
    script = shutil.copy(ROOT / "deploy/docker/secrets.sh", folder)
    subprocess.run(["bash", script, "order", "user"], check=True, capture_output=True)
    return folder / "secrets"


@pytest.fixture(scope="module")
def port(made: Path) -> Iterator[int]:
    at = free_port()
    command = [str(binary()), "--port", str(at), "--bind", "127.0.0.1", "--save", ""]
    server = children.spawn(
        [*command, "--aclfile", str(made / "redis_acl")], log=subprocess.DEVNULL
    )
    try:
        asyncio.run(eventually(lambda: _listens(at)))
        yield at
    finally:
        children.stop(server, within=5)


def _listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def variable(file: Path, name: str) -> str:
    lines = dict(line.split("=", 1) for line in file.read_text().splitlines())
    return lines[name]


def connected(port: int, user: str, password: str) -> redis.Redis:
    return redis.Redis(port=port, username=user, password=password)


def test_a_service_has_a_user_of_its_own_that_can_neither_stop_nor_empty_redis(
    port: int, made: Path
) -> None:
    url = urlsplit(variable(made / "order.env", "REDIS_URL"))
    order = connected(port, url.username or "", url.password or "")
    order.xadd("events:orders", {"a": "b"})
    order.set("limit:ip", 1)
    assert order.eval("return redis.call('get', KEYS[1])", 1, "limit:ip") == b"1"
    for other in ("SET catalog:mark:x 1", "XADD events:products * a b", "PUBLISH chat:said x"):
        with pytest.raises(NoPermissionError):
            order.execute_command(*other.split())
    for attack in ("FLUSHALL", "KEYS *", "CONFIG GET *", "SHUTDOWN", "ACL LIST", "MONITOR"):
        with pytest.raises(NoPermissionError):
            order.execute_command(*attack.split())
    with pytest.raises(AuthenticationError):
        redis.Redis(port=port, username="user", password=url.password).ping()


def test_the_exporter_sees_counters_and_no_key(port: int, made: Path) -> None:
    file = made / "monitoring.env"
    exporter = connected(port, variable(file, "REDIS_USER"), variable(file, "REDIS_PASSWORD"))
    assert exporter.info()["redis_version"]
    attacks = ("GET limit", "XADD events:jobs * a b", "XRANGE events:jobs - +", "SCAN 0", "KEYS *")
    for attack in (*attacks, "CONFIG GET *", "FLUSHALL"):
        with pytest.raises(NoPermissionError):
            exporter.execute_command(*attack.split())


def test_nobody_enters_without_a_password(port: int) -> None:
    with pytest.raises(AuthenticationError):
        redis.Redis(port=port).ping()
