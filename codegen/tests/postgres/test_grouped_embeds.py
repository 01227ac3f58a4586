"""Embedded rows under grouping sets, compared with the rows of servers of each major version.

PostgreSQL 18 has a node for a grouped key, which shows where the key may be NULL. In earlier
versions, nothing in the tree shows this.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest
from aiosqlc.ir import AnalyzeOptions, TypedQuery
from aiosqlc.postgres import Analyzer
from aiosqlc.servers.postgres.connection import Connection

from tests.postgres.asking import schema_file
from tests.postgres.test_embeds import _asked
from tests.servers.majors import server_of

SCHEMA = """
create table a (id int primary key, name text not null, x int);
create table b (id int not null, aid int not null, t text not null);
create table n (p int, q int);
"""
ROWS = """
insert into a values (1, 'n', null), (2, 'm', 3), (3, 'm', 3);
insert into b values (1, 1, 't'), (1, 2, 'u'), (2, 1, 'v'), (5, 9, 'z');
insert into n values (null, null), (1, null);
"""
_ALL = "(a.id, a.name, a.x)"
_B = "(b.id, b.aid, b.t)"
_JOINED = "from a join b on b.aid = a.id"
# Each embed: there always, or `?`, or refused.
CASES = {
    f"select embed(a), count(*) from a group by rollup ({_ALL})": "a?",
    f"select embed(a), count(*) from a group by grouping sets ({_ALL}, ())": "a?",
    f"select embed(a), b.t {_JOINED} group by grouping sets ({_ALL}, (b.t))": "a?",
    f"select embed(a), embed(b) {_JOINED} group by grouping sets ({_ALL}, {_B}, ())": "a? b?",
    f"select embed(a), embed(b) from a left join b on b.aid = a.id group by cube ({_ALL}, {_B})": (
        "a? b?"
    ),
    f"select embed(a), b.t {_JOINED} group by a.id, rollup (b.t)": "a",
    f"select embed(a), b.t {_JOINED} group by a.id, a.name, a.x, rollup (b.t)": "a",
    f"select embed(a), b.t from a, b group by grouping sets ({_ALL}, (a.id, a.name, a.x, b.t))": (
        "a"
    ),
    f"select embed(a), a.id from a group by rollup ({_ALL})": "a?",
    f"select a.id, embed(a), a.x from a group by rollup ({_ALL})": "a?",
    f"select embed(a) from a where a.x is not null group by rollup ({_ALL})": "a?",
    f"select embed(a) from a group by rollup ({_ALL}) having a.x is not null": "a?",
    f"select embed(a) from a group by rollup ({_ALL}) having count(*) > 1": "a?",
    "select embed(a) from a join b using (id) group by rollup ((id, a.name, a.x))": "a?",
    f"select embed(a) from b left join a on a.id = b.aid group by rollup ({_ALL})": "a?",
    "select embed(a) from b left join a on a.id = b.aid group by a.id, a.name, a.x, rollup (b.t)": (
        "a?"
    ),
    f"select embed(a) from a group by rollup ({_ALL}), a": "a?",
    f"select embed(a) from a group by grouping sets ({_ALL}, (a))": "a?",
    f"select embed(a), a from a group by grouping sets ({_ALL}, (a))": "a?",
    f"select embed(a) from a group by a, grouping sets ({_ALL}, (a.id, a.name, a.x, a))": "a",
    f"select a, embed(a) from a group by rollup ({_ALL}), a": "a?",
    f"select embed(a), b from a join b on b.aid = a.id group by rollup ({_ALL}), b": "a?",
    "select embed(n) from n group by rollup ((n.p, n.q))": "n?",
    "select embed(s) from (select id, name from a) s group by rollup ((s.id, s.name))": "s?",
    f"select distinct embed(a) from a group by distinct cube ({_ALL}), rollup ({_ALL})": "a?",
    "select embed(a), embed(c) from a join a c using (id) group by grouping sets"
    f" ({_ALL}, (c.id, c.name, c.x))": "a? c?",
    f"select embed(a) from a group by grouping sets ({_ALL}, (a.id + 1))": "a?",
    f"select embed(a) from a where a.id > 9 group by grouping sets ({_ALL}, ())": "a?",
    f"select embed(a) from a group by rollup ({_ALL}) union select embed(a) from a": "",
    "select embed(a) from a group by grouping sets ((a.id, a.name), (a.id, a.name, a.x))": "",
    "select embed(a) from a group by rollup (a.id, a.name, a.x)": "",
    "select embed(a) from a group by a.id, rollup (a.name, a.x)": "",
    f"select embed(a) from a join b using (id) group by rollup ({_ALL}), cube (id)": "",
    "select embed(a), embed(c) from a join a c using (id) group by grouping sets"
    " ((a.id, c.name, a.x), (c.id, a.name, c.x))": "",
}


@dataclass(frozen=True)
class World:
    """A server of one major version with the rows, and an analyser that uses it."""

    uri: str
    connection: psycopg.Connection
    analyzer: Analyzer


@pytest.fixture(scope="module", params=[16, 17, 18])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    with server_of(request.param) as server, Analyzer() as analyzer:
        with Connection(server.admin) as admin:
            assert admin.run("drop database if exists grouped") is None
            assert admin.run("create database grouped") is None
        with psycopg.connect(server.conninfo("grouped"), autocommit=True) as connection:
            connection.execute(SCHEMA + ROWS)
            yield World(server.conninfo("postgres"), connection, analyzer)


@pytest.mark.parametrize("text", CASES)
def test_an_embedded_row_is_missing_as_a_whole_in_rows_of_each_server(
    text: str, world: World
) -> None:
    asked = _asked(text)
    options = AnalyzeOptions(database_uri=world.uri)
    analysis, problems = world.analyzer.analyze([schema_file(SCHEMA)], [asked], options)
    if not CASES[text]:
        assert {problem.code for problem in problems} == {"E342"}
        return
    assert problems == ()
    (query,) = analysis.queries
    assert " ".join(e.name + "?" * e.nullable for e in query.embeds) == CASES[text]
    for embed in query.embeds:  # only the rows of `n` have no column to tell a missing row by
        assert (embed.presence is not None) is (embed.nullable and embed.name != "n")
    for row in world.connection.execute(query.sql.encode()).fetchall():
        _check(query, row)


def _check(query: TypedQuery, row: tuple[object, ...]) -> None:
    """Check a row against what is claimed about its columns and embedded rows."""
    certain = {at for at, column in enumerate(query.columns) if column.not_null}
    for embed in query.embeds:
        inside = set(range(embed.first, embed.first + embed.count))
        if embed.presence is not None and row[embed.presence] is None:
            assert all(row[at] is None for at in inside)
            certain -= inside
    assert all(row[at] is not None for at in certain)
