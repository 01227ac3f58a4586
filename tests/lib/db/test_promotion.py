"""The runbook's promotion of a MariaDB replica as written, under writers."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import pymysql
import pytest
from pydantic import SecretStr

from devstack.settings import ROOT
from devstack.testing import mysql
from devstack.testing.components import program
from devstack.testing.mysql import TestMysql
from lib.config import MysqlSettings
from lib.db.mysql import open_database
from lib.errors import AppError
from tests.conftest import Full

PAGE = (ROOT / "docs/promote-mariadb.md").read_text()
FOLLOW, PROMOTE = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
OPTIONS = re.findall(r"`(rpl_\w+=\w+|gtid_\w+=\w+)`", PAGE)
WRITERS = 4


def a_server(number: int) -> list[str]:
    names = [f"--{option}" for option in OPTIONS]
    return ["--log-bin=log", f"--server-id={number}", *names]


def asked(url: str, statement: str) -> list[tuple[object, ...]]:
    to = urlsplit(url)
    with (
        pymysql.connect(
            host="127.0.0.1", port=to.port or 0, user=to.username, password=to.password or "",
            database=to.path[1:], autocommit=True,
        ) as connection,
        connection.cursor() as cursor,
    ):  # fmt: skip
        cursor.execute(statement)
        return list(cursor.fetchall())


class Pair:
    """Two servers with one administrator, and the page's commands for them."""

    def __init__(self, old: TestMysql, new: TestMysql) -> None:
        self.old, self._new = old, new
        self.url = old.create_empty("shop")
        self._admin = urlsplit(self.url)
        stranger = new.create_empty("shop")
        password = self._admin.password
        asked(stranger, f"SET PASSWORD = PASSWORD('{password}')")

    def url_of_new(self) -> str:
        """Return the URL of the same database on the other server."""
        netloc = self._admin.netloc.replace(str(self._admin.port), str(self._new.port))
        return self._admin._replace(netloc=netloc).geturl()

    def run(self, commands: str) -> None:
        given = {
            "OLD": "127.0.0.1", "OLD_PORT": str(self.old.port), "NEW": "127.0.0.1",
            "NEW_PORT": str(self._new.port), "ADMIN": self._admin.username or "",
            "MYSQL_PWD": self._admin.password or "",
        }  # fmt: skip
        done = subprocess.run(
            ["sh", "-euc", commands], capture_output=True, text=True, check=False,
            env=os.environ | given,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr + done.stdout


@pytest.fixture
def pair() -> Iterator[Pair]:
    program("mariadb-dump")
    with ExitStack() as stack:
        old, new = (
            stack.enter_context(mysql.running(ROOT / "migrations", options=a_server(number)))
            for number in (1, 2)
        )
        yield Pair(old, new)


async def test_a_killed_server_is_replaced_and_nothing_acknowledged_is_lost(
    pair: Pair, full: Full
) -> None:
    asked(pair.url, "CREATE TABLE fact (id BIGINT PRIMARY KEY) ENGINE = InnoDB")
    await asyncio.to_thread(pair.run, FOLLOW)
    # What is received is applied a second later, so promoting has something to wait for.
    for statement in ("STOP SLAVE", "CHANGE MASTER TO master_delay = 1", "START SLAVE"):
        asked(pair.url_of_new(), statement)
    acknowledged: list[int] = []
    settings = MysqlSettings(_env_file=None, database_url=SecretStr(pair.url), db_pool_max=WRITERS)
    async with open_database(settings, application="test") as db:

        async def writer(first: int) -> None:
            for number in range(first, 1_000_000, WRITERS):
                await db.execute("INSERT INTO fact VALUES (%s)", number)
                acknowledged.append(number)

        writers = [asyncio.create_task(writer(number)) for number in range(WRITERS)]
        async with asyncio.timeout(full(1200, sample=120)):
            while len(acknowledged) < full(20_000, sample=500):
                await asyncio.sleep(0.01)
        # From here on the replica receives nothing: what is written now must not be acknowledged.
        await asyncio.to_thread(asked, pair.url_of_new(), "STOP SLAVE IO_THREAD")
        await asyncio.sleep(0.3)
        pair.old.kill()
        ended = await asyncio.gather(*writers, return_exceptions=True)
    assert all(isinstance(error, AppError) for error in ended), ended
    await asyncio.to_thread(pair.run, PROMOTE)
    kept = {row[0] for row in asked(pair.url_of_new(), "SELECT id FROM fact")}
    assert set(acknowledged) <= kept
    asked(pair.url_of_new(), "INSERT INTO fact VALUES (-1)")
