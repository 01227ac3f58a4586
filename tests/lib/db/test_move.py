"""The runbook's move to another server as written, under traffic."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from devstack.embedded.account import hand_over, unprivileged
from devstack.embedded.ports import free_port
from devstack.embedded.postgres import DISPOSABLE, Instance, Server, binary, ensure_database
from devstack.settings import ROOT
from lib.db import migrations
from tests.lib.db.earning import found, traffic

PAGE = (ROOT / "docs/move-a-database.md").read_text()
PREPARE, COPY, HOLD, SWITCH, AFTERWARDS = re.findall(
    r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL
)
MOST_SECONDS = 30.0  # a second, as a rule; on a busy machine some times that
SECRET = "a-secret-of-the-service"
NUMBER = "SELECT nextval(pg_get_serial_sequence('outbox', 'position'))"


class Move:
    """The two servers, and the page's commands for them."""

    def __init__(self, home: Path) -> None:
        password = secrets.token_hex(8)
        self.old, self.new = (
            Server(Instance(home / name, free_port(), password, DISPOSABLE))
            for name in ("old", "new")
        )

    def run(self, commands: str) -> None:
        account, old, new = unprivileged(), self.old.instance, self.new.instance
        given = {
            "OLD": "127.0.0.1", "NEW": "127.0.0.1", "OLD_PORT": str(old.port),
            "NEW_PORT": str(new.port), "DB": "point", "DATA": str(new.data), "PGUSER": "postgres",
            "PGPASSWORD": old.password, "PATH": f"{binary('psql').parent}:{os.environ['PATH']}",
        }  # fmt: skip
        done = subprocess.run(
            ["sh", "-euc", commands], capture_output=True, text=True, check=False,
            cwd=old.data.parent, env=os.environ | given, user=account.uid if account else None,
            group=account.gid if account else None, extra_groups=[] if account else None,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr + done.stdout

    def url(self) -> str:
        """Return the service's URL that names both servers."""
        first, second = (
            urlsplit(server.instance.url("point", user="point_service", password=SECRET))
            for server in (self.old, self.new)
        )
        hosts = f"{first.netloc},127.0.0.1:{second.port}"
        return first._replace(netloc=hosts, query="target_session_attrs=read-write").geturl()


@pytest.fixture
def move() -> Iterator[Move]:
    with tempfile.TemporaryDirectory(prefix="test-move-") as folder:
        hand_over(Path(folder), unprivileged())
        move = Move(Path(folder))
        with move.old:
            ensure_database(move.old.instance, "point", password="an-owner", service=SECRET)
            owner = move.old.instance.url("point", user="point", password="an-owner")
            migrations.apply(owner, ROOT / "migrations/point", db="point", only=True)
            move.run(PREPARE)
            move.old.stop()
            move.old.start()
            yield move
        move.new.stop()


async def test_a_database_moves_under_traffic_and_nothing_acknowledged_is_lost(move: Move) -> None:
    async with traffic(move.url()) as people:
        await asyncio.to_thread(move.run, COPY)
        await asyncio.to_thread(move.new.start)
        await asyncio.to_thread(move.run, HOLD)
        number(move.old)
        await people.goes_on()
        people.longest = 0.0
        await asyncio.to_thread(move.run, SWITCH)
        await people.goes_on()
        await people.goes_on()
    await asyncio.to_thread(move.run, AFTERWARDS)
    assert people.longest < MOST_SECONDS
    kept, before = found(move.new.instance.url("point")), found(move.old.instance.url("point"))
    assert people.acknowledged <= kept
    assert people.acknowledged - before, "nobody earned on the new server"
    assert number(move.old) <= number(move.new)


def number(server: Server) -> int:
    """Return the next number of a sequence."""
    with psycopg.connect(server.instance.url("point")) as connection:
        row = connection.execute(NUMBER).fetchone()
    assert row is not None
    return int(row[0])
