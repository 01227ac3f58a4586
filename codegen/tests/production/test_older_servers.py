"""Statistics are pulled from each supported major version, and its plans follow from them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiosqlc.analysis.planned.plan import Plan
from aiosqlc.analysis.planned.pulled import PullError
from aiosqlc.engines import engine_for
from aiosqlc.engines.planner import Planner
from aiosqlc.ir import AnalyzeOptions
from aiosqlc.postgres.planning.trees import tree
from aiosqlc.production.statistics import parsed, written
from aiosqlc.servers.postgres.connection import Connection
from aiosqlc.source import Dialect

from tests.production.test_plans import LATER, QUERIES, ROWS, SCHEMA, SETTINGS, file, reads
from tests.servers.majors import server_of

MAJORS = [14, 15, 16, 17, 18]


@pytest.fixture(scope="module")
def planner() -> Iterator[Planner]:
    with engine_for(Dialect.POSTGRESQL) as engine:
        assert engine.planner
        yield engine.planner


@pytest.fixture(scope="module", params=MAJORS)
def uri(request: pytest.FixtureRequest) -> Iterator[str]:
    """The connection string of a database with rows on a server of one major version."""
    with server_of(request.param) as server:
        with Connection(server.admin) as admin:
            assert admin.major == request.param
            assert admin.run("DROP DATABASE IF EXISTS older") is None
            assert admin.run("CREATE DATABASE older") is None
        with Connection(server.conninfo("older")) as connection:
            for statement in (SCHEMA, *ROWS.split(";\n"), LATER):
                assert connection.run(statement) is None
            for setting in SETTINGS:
                assert connection.run(f"ALTER DATABASE older SET {setting}") is None
        yield server.conninfo("older")


def generic(connection: Connection, sql: str) -> Plan:
    """Return the generic plan, also from servers before 16, which have no GENERIC_PLAN."""
    assert connection.run(f"PREPARE one AS {sql}") is None
    count = 2 if "$2" in sql else 1 if "$1" in sql else 0
    nulls = f"({', '.join(['NULL'] * count)})" if count else ""
    rows = connection.rows(f"EXPLAIN (VERBOSE, FORMAT JSON) EXECUTE one{nulls}")
    assert connection.run("DEALLOCATE one") is None
    return tree(json.loads("".join(str(row[0]) for row in rows))[0]["Plan"], {})


@pytest.mark.long
def test_statistics_are_pulled_and_give_the_estimates_of_the_server(
    planner: Planner, uri: str
) -> None:
    found = planner.pulled(uri, [file(SCHEMA)], AnalyzeOptions(), values=True)
    assert found.notes == ()
    text = written(found.statistics)
    assert written(parsed(text, Path("stats.sql"))) == text
    with (
        planner.database([file(SCHEMA)], AnalyzeOptions(), found.statistics) as database,
        Connection(uri) as connection,
    ):
        assert database.notes == ()
        assert connection.run("SET plan_cache_mode = force_generic_plan") is None
        different = []
        for sql in QUERIES:
            if "at = $1" in sql:  # for NULL, no partition is read
                continue
            ours, theirs = database.plan(sql), generic(connection, sql)
            assert ours
            if reads(ours) != reads(theirs):
                different.append((sql, reads(ours), reads(theirs)))
        assert different == []


@pytest.mark.long
def test_a_role_needs_the_right_to_read(planner: Planner, uri: str) -> None:
    reader = f"{uri} user=reader"
    with Connection(uri) as connection:
        assert connection.run("DROP ROLE IF EXISTS reader") is None
        assert connection.run("CREATE ROLE reader LOGIN") is None
    with pytest.raises(PullError, match="the role may not read customer, event"):
        planner.pulled(reader, [file(SCHEMA)], AnalyzeOptions(), values=False)
    with Connection(uri) as connection:
        assert connection.run("GRANT pg_read_all_data TO reader") is None
    found = planner.pulled(reader, [file(SCHEMA)], AnalyzeOptions(), values=False)
    assert "@x.org" not in written(found.statistics)
    assert {item.relation for item in found.statistics.columns} >= {"customer", "customer_email"}
