"""docs/backups.md as written: back up a server under load, lose it, and restore it to a time."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Self

import msgspec
import psycopg
import pytest
import uuid_utils.compat as uuid

from devstack.embedded.account import hand_over, unprivileged
from devstack.embedded.ports import free_port
from devstack.embedded.postgres import DISPOSABLE, Instance, Server, binary
from devstack.settings import ROOT
from devstack.testing.components import program
from devstack.testing.serving import amazon
from lib.db import migrations
from observability.backups import restorable

PAGE = (ROOT / "docs" / "backups.md").read_text()
WRITERS = 2
ENTRY = "INSERT INTO point_entry (id, user_id, amount, reason) VALUES (%s, %s, 1, 'a drill')"

# Who has their account deleted after the moment, and who keeps it.
ANN, BOB = "01890000-0000-7000-8000-00000000a001", "01890000-0000-7000-8000-00000000b001"
ACCOUNT = (
    "INSERT INTO account (id, email, first_name, last_name, phone_number, role)"
    " VALUES ('{0}', '{0}@example.com', 'Ann', 'Lee', '995555123456', 'CUSTOMER')"
)
DELETION = (
    "UPDATE account SET status = 'deleted', phone_number = NULL,"
    " deleted_at = now() - interval '2 days' WHERE id = '{}'"
)

# Debian's version does not know AWS_ENDPOINT_URL.
AWS = 'aws() { command aws --endpoint-url "$ENDPOINT" "$@"; }\n'


def blocks(heading: str) -> list[str]:
    """Return the commands under a heading, block by block."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"^```sh\n(.*?)^```", section, re.MULTILINE | re.DOTALL)


def until(check: Callable[[], object], *, within: float = 30.0) -> None:
    deadline = time.monotonic() + within
    while not check():
        assert time.monotonic() < deadline, "not within its time"
        time.sleep(0.02)


def ask(server: Server, statement: str, database: str = "point") -> object:
    with psycopg.connect(server.instance.url(database), autocommit=True) as connection:
        found = connection.execute(statement.encode())
        row = found.fetchone() if found.description else None
        return row[0] if row else None


class Fact(msgspec.Struct, frozen=True):
    """An acknowledged entry, with the times of its start and its acknowledgement on our clock."""

    id: uuid.UUID
    begun: float
    acknowledged: float


class Load:
    """Clients that write one entry of the ledger after the other."""

    def __init__(self, server: Server) -> None:
        self._url = server.instance.url("point")
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._write) for _ in range(WRITERS)]
        self.facts: list[Fact] = []

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def more(self, count: int) -> None:
        """Return when this number of further facts exists."""
        wanted = len(self.facts) + count
        until(lambda: len(self.facts) >= wanted)

    def _write(self) -> None:
        user = uuid.uuid7()
        with psycopg.connect(self._url, autocommit=True) as connection:
            while not self._stop.is_set():
                fact, begun = uuid.uuid7(), time.monotonic()
                connection.execute(ENTRY, (fact, user))
                self.facts.append(Fact(fact, begun, time.monotonic()))


class Drill:
    """The backups, the facts before and after the chosen time, and the present account."""

    def __init__(self, home: Path) -> None:
        self.home, self.backups = home, home / "backups"
        self.password = secrets.token_urlsafe(16)
        self.target = ""
        self.before: set[uuid.UUID] = set()
        self.after: set[uuid.UUID] = set()

    def run(self, commands: str, server: Server | None = None, **variables: object) -> str:
        """Run a block of the page as the server's account, or as ours if the tool is ours."""
        ours = "aws " in commands or commands.startswith("python ")
        account = None if ours else unprivileged()
        port = server.instance.port if server else 0
        given = {
            "BACKUPS": self.backups, "PGHOST": "127.0.0.1", "PGPORT": port,
            "PGUSER": "postgres", "PGPASSWORD": self.password, "PYTHONPATH": ROOT, **variables,
        }  # fmt: skip
        path = f"{binary('psql').parent}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        done = subprocess.run(
            ["sh", "-euc", commands], capture_output=True, text=True, check=False, cwd=self.home,
            env=os.environ | {"PATH": path} | {name: str(value) for name, value in given.items()},
            user=account.uid if account else None, group=account.gid if account else None,
            extra_groups=[] if account else None,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def server(self, name: str) -> Server:
        return Server(Instance(self.home / name, free_port(), self.password, DISPOSABLE))

    def bases(self) -> list[str]:
        return sorted(base.name for base in (self.backups / "base").iterdir())

    @contextmanager
    def restored(self, name: str) -> Iterator[Server]:
        """Run a server that was restored to the chosen time from the oldest backup."""
        server, base = self.server(name), self.bases()[0]
        assert datetime.fromisoformat(base) < datetime.fromisoformat(self.target)
        restore, _ = blocks("Restore")
        self.run(restore, DATA=server.instance.data, TARGET=self.target, BASE=base)
        with server:
            until(lambda: ask(server, "SELECT NOT pg_is_in_recovery()"))
            yield server


def archived(drill: Drill, server: Server) -> None:
    """Archive the latest segment and wait until it has arrived."""
    ask(server, "SELECT pg_logical_emit_message(true, 'drill', 'so that there is one')")
    segment = str(ask(server, "SELECT pg_walfile_name(pg_switch_wal())"))
    until((drill.backups / "wal" / segment).exists)


@pytest.fixture(scope="module")
def drill() -> Iterator[Drill]:
    """Back up a server under load, note a time, continue to write, and lose the server."""
    with tempfile.TemporaryDirectory(prefix="test-backups-") as folder:
        drill = Drill(Path(folder))
        hand_over(drill.home, unprivileged())
        with drill.server("lost") as server:
            ask(server, "CREATE DATABASE point", "postgres")
            migrations.apply(server.instance.url("point"), ROOT / "migrations/point", db="point")
            ask(server, 'CREATE DATABASE "user"', "postgres")
            migrations.apply(server.instance.url("user"), ROOT / "migrations/user", db="user")
            for who in (ANN, BOB):
                ask(server, ACCOUNT.format(who), "user")
            for commands in blocks("Archive"):
                drill.run(commands, server)
            server.stop()
            server.start()
            moment = psycopg.connect(server.instance.url("point"), autocommit=True)
            with moment, Load(server) as load:
                load.more(100)
                drill.run(blocks("Back up")[0], server)
                load.more(100)
                asked = time.monotonic()
                now = moment.execute("SELECT clock_timestamp()").fetchone()
                answered = time.monotonic()
                load.more(100)
                ask(server, DELETION.format(ANN), "user")
                drill.run(blocks("Erasures")[0], server, USER_DATABASE="user")
                archived(drill, server)
            server.kill()
            shutil.rmtree(server.instance.data)
        drill.target = str(now[0] if now else "")
        drill.before = {fact.id for fact in load.facts if fact.acknowledged < asked}
        drill.after = {fact.id for fact in load.facts if fact.begun > answered}
        assert len(drill.before) >= 200
        assert len(drill.after) >= 90
        yield drill


@pytest.fixture(scope="module")
def restored(drill: Drill) -> Iterator[Server]:
    """Run the restored server; the tests of the facts come first."""
    with drill.restored("restored") as server:
        yield server


def entries(server: Server) -> set[uuid.UUID]:
    with psycopg.connect(server.instance.url("point")) as connection:
        rows = connection.execute("SELECT id FROM point_entry").fetchall()
    return {uuid.UUID(str(row[0])) for row in rows}


def test_every_fact_from_before_the_moment_is_back_and_none_from_after_it(
    drill: Drill, restored: Server
) -> None:
    found = entries(restored)
    assert drill.before - found == set()
    assert drill.after & found == set()
    balances = "SELECT sum(balance)::int FROM point_balance"
    assert ask(restored, balances) == len(found)


def test_who_was_deleted_after_the_moment_is_deleted_again(drill: Drill, restored: Server) -> None:
    status = f"SELECT status FROM account WHERE id = '{ANN}'"
    assert ask(restored, status, "user") == "active", "the backup is from before"
    url = restored.instance.url("user")
    for _ in range(2):  # it may be run again
        said = drill.run(blocks("Erasures")[1], restored, USER_DATABASE_URL=url)
        assert said.startswith("1 deletions repeated")
    gone = f"{status} AND phone_number IS NULL AND deleted_at < now() - interval '1 day'"
    assert ask(restored, gone, "user") == "deleted"
    assert ask(restored, f"SELECT status FROM account WHERE id = '{BOB}'", "user") == "active"
    # The other services hear of it, whether or not this database still had the account.
    told = f"SELECT count(*)::int FROM outbox WHERE kind = 'user.erased' AND event_key = '{ANN}'"
    assert ask(restored, told, "user") == 2


@pytest.mark.long
def test_one_database_comes_back_alone(drill: Drill, restored: Server) -> None:
    ask(restored, "CREATE TABLE newer AS SELECT 1 AS fact", "postgres")
    ask(restored, "TRUNCATE point_entry, point_balance")
    with drill.restored("beside") as beside:
        port = beside.instance.port
        drill.run(blocks("One database alone")[0], restored, DATABASE="point", RESTORED_PORT=port)
        assert entries(restored) == entries(beside) >= drill.before
    assert ask(restored, "SELECT fact FROM newer", "postgres") == 1


@pytest.mark.long
def test_it_comes_back_from_a_bucket_when_the_folder_is_lost(drill: Drill) -> None:
    program("aws")
    s3 = {
        "AWS_DEFAULT_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b", "BUCKET": "drill", "BASE": drill.bases()[0],
    }  # fmt: skip
    with amazon() as s3["ENDPOINT"], pytest.MonkeyPatch.context() as patch:
        drill.run(AWS + 'aws s3 mb "s3://$BUCKET"', None, **s3)
        *up, down = blocks("In a bucket")
        for commands in up:
            drill.run(AWS + commands, None, **s3)
        patch.setattr(drill, "backups", drill.home / "from the bucket")
        drill.run(AWS + down, None, **s3)
        with drill.restored("elsewhere") as server:
            found = entries(server)
    assert drill.before - found == set()
    assert drill.after & found == set()


@pytest.mark.long
def test_what_came_back_is_backed_up_in_its_turn_and_what_nobody_needs_is_removed(
    drill: Drill, restored: Server
) -> None:
    drill.run(blocks("Restore")[1], restored)
    restored.stop()
    restored.start()
    first = drill.bases()
    backup, clean = blocks("Back up")
    drill.run(backup, restored)
    archived(drill, restored)
    second = sorted(set(drill.bases()) - set(first))
    assert restorable(drill.backups) == datetime.fromisoformat(second[0])
    drill.run(clean, KEEP=2)
    assert drill.bases() == sorted([*first, *second])
    wal = len(list((drill.backups / "wal").iterdir()))
    drill.run(clean, KEEP=1)
    assert drill.bases() == second
    assert restorable(drill.backups) == datetime.fromisoformat(second[0])
    assert 0 < len(list((drill.backups / "wal").iterdir())) < wal
