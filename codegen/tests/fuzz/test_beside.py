"""The context of the search's statements has an effect; otherwise it would prove nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from aiosqlc.servers.postgres.connection import Connection
from aiosqlc.servers.postgres.embedded import Server, embedded_server

from tests.fuzz.beside import ROLE, make_role, saved, writing
from tests.fuzz.schemas import Relation, Schema
from tests.proofs.judge import has_null_inside

_TABLE = Relation("t", {"id": "int", "k": "int"})
_MADE = (
    "create table t (id int unique deferrable initially deferred, k int)",
    "alter table t enable row level security",
    "create policy some_rows on t using (k > 1)",
    f"grant all on t to {ROLE}",
)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with embedded_server() as server:
        yield server


@pytest.fixture
def connection(server: Server) -> Iterator[Connection]:
    with Connection(server.admin) as admin:
        for statement in ("drop database if exists beside", "create database beside", make_role()):
            admin.run(statement)
    with Connection(server.conninfo("beside")) as connection:
        for statement in _MADE:
            assert connection.run(statement) is None
        yield connection


def _count(connection: Connection) -> int:
    return int(connection.execute("select count(*) from t").get_value(0, 0) or 0)


def test_a_deferred_key_is_kept_twice_within_a_transaction(connection: Connection) -> None:
    run = saved(connection)
    connection.run("begin")
    assert run("insert into t values (1, 2)") is None
    assert run("insert into t values (1, 3)") is None
    assert run("insert into t values ('x', 3)") is not None
    assert _count(connection) == 2
    assert connection.run("commit") is not None


def test_row_security_applies_to_the_role(connection: Connection) -> None:
    connection.run("insert into t values (1, 1), (2, 2)")
    connection.run(f"set role {ROLE}")
    assert _count(connection) == 1


def test_somebody_writes_while_statements_run(connection: Connection, server: Server) -> None:
    seen = set()
    with writing(server.conninfo("beside"), Schema([], [_TABLE]), 1):
        deadline = time.monotonic() + 20
        while len(seen) < 3 and time.monotonic() < deadline:
            seen.add(_count(connection))
    assert len(seen) == 3


@pytest.mark.parametrize(
    ("array", "holds"),
    [
        (b"{1,NULL}", True),
        (b"{{1,2},{NULL,3}}", True),
        (b'{"a","NULL"}', False),
        (b'{"{3,NULL}"}', False),
        (b'{"\\"",NULL}', True),
        (b"{NULLS}", False),
    ],
)
def test_a_text_that_says_null_is_no_null_inside_an_array(array: bytes, holds: bool) -> None:
    assert has_null_inside(array) == holds
