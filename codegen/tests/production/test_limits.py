"""The manual states the measured effect of each statistic that is not restored."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from aiosqlc.analysis.planned.statistics import Statistics
from aiosqlc.engines import engine_for
from aiosqlc.engines.planner import Planner
from aiosqlc.ir import AnalyzeOptions, SchemaFile
from aiosqlc.postgres.planning.database import PlannedDatabase
from aiosqlc.schema import schema_file
from aiosqlc.servers.postgres.connection import Connection
from aiosqlc.servers.postgres.databases import new_database
from aiosqlc.servers.postgres.embedded import embedded_server
from aiosqlc.source import Dialect, SourceFile
from msgspec.structs import replace

SCHEMA = """\
CREATE TABLE place (
    id int PRIMARY KEY, city int NOT NULL, zip int NOT NULL, state text NOT NULL, note text NOT NULL
);
CREATE INDEX place_city ON place (city, id);
CREATE INDEX place_open ON place (id) WHERE state = 'open';
CREATE INDEX place_rest ON place (round(id::numeric, -4));
"""
# ANALYZE reads all of so few rows, so its result is not random.
ROWS = """\
INSERT INTO place SELECT n, n % 100, n % 1000, CASE WHEN n % 50 = 0 THEN 'open' ELSE 'done' END,
                         repeat('x', 100)
FROM generate_series(1, 30000) n
"""
OF_CITY = "SELECT id FROM place WHERE city = 7"
OF_REST = "SELECT note FROM place WHERE round(id::numeric, -4) = 10000"
_PLANS = Path(__file__).parents[2] / "docs" / "plans.md"
MANUAL = " ".join(_PLANS.read_text().split())


@pytest.fixture(scope="module")
def planner() -> Iterator[Planner]:
    with engine_for(Dialect.POSTGRESQL) as engine:
        assert engine.planner
        yield engine.planner


@pytest.fixture(scope="module")
def uri() -> Iterator[str]:
    with ExitStack() as stack:
        server = stack.enter_context(embedded_server())
        draft = stack.enter_context(new_database(server))
        with Connection(draft.conninfo) as connection:
            for sql in (*SCHEMA.split(";\n")[:-1], ROWS, "ANALYZE place"):
                assert connection.run(sql) is None
        yield draft.conninfo


@pytest.fixture
def rows(uri: str) -> Iterator[Connection]:
    with Connection(uri) as connection:
        yield connection


@pytest.fixture(scope="module")
def schema() -> list[SchemaFile]:
    return [schema_file(SourceFile(Path("schema.sql"), SCHEMA), Dialect.POSTGRESQL)]


@pytest.fixture(scope="module")
def statistics(planner: Planner, uri: str, schema: list[SchemaFile]) -> Statistics:
    return planner.pulled(uri, schema, AnalyzeOptions(), values=True).statistics


@pytest.mark.parametrize(
    ("kind", "columns", "sql"),
    [
        ("dependencies", "city, zip", "SELECT id FROM place WHERE city = 7 AND zip = 507"),
        ("ndistinct", "city, zip", "SELECT city, zip FROM place GROUP BY city, zip"),
        ("mcv", "city, state", "SELECT id FROM place WHERE city = 50 AND state = 'open'"),
    ],
)
def test_extended_statistics(kind: str, columns: str, sql: str, rows: Connection) -> None:
    full = PlannedDatabase(rows)
    without = full.plan(sql)
    for statement in (f"CREATE STATISTICS x ({kind}) ON {columns} FROM place", "ANALYZE place"):
        assert rows.run(statement) is None
    there = full.plan(sql)
    assert rows.run("DROP STATISTICS x") is None
    assert without
    assert there
    assert f"`{kind}`: {without.rows:,.0f} instead of {there.rows:,.0f} rows" in MANUAL


def test_the_visibility_map(
    planner: Planner, schema: list[SchemaFile], statistics: Statistics
) -> None:
    costs = []
    for share in (1, 0):
        sizes = tuple(replace(one, visible=one.pages * share) for one in statistics.relations)
        some = replace(statistics, relations=sizes)
        with planner.database(schema, AnalyzeOptions(), some) as database:
            plan = database.plan(OF_CITY)
            assert plan
            costs.append(plan.cost)
    visible, hidden = costs
    said = f"costs {visible:,.0f} if all pages are all-visible, and {hidden:,.0f} if no page is"
    assert f"scan for 1 % of the rows {said}" in MANUAL


def test_new_indexes(
    planner: Planner, schema: list[SchemaFile], statistics: Statistics, rows: Connection
) -> None:
    """Production does not have the indexes of the schema yet."""
    found = rows.rows("SELECT relname, pg_relation_size(oid) / 8192 FROM pg_class")
    real = {str(name): int(str(pages)) for name, pages in found}
    full = PlannedDatabase(rows).plan(OF_REST)
    sizes = tuple(one for one in statistics.relations if not one.name.startswith("place_"))
    columns = tuple(one for one in statistics.columns if not one.relation.startswith("place_"))
    new = replace(statistics, relations=sizes, columns=columns)
    with planner.database(schema, AnalyzeOptions(), new) as database:
        assert isinstance(database, PlannedDatabase)
        ((pages,),) = database.connection.rows("SELECT pg_relation_size('place_open') / 8192")
        plan = database.plan(OF_REST)
    assert plan
    assert full
    assert f"the estimate was {pages} pages instead of {real['place_open']}." in MANUAL
    assert (
        f"`round(id::numeric, -4) = 10000`, {plan.rows:,.0f} row instead of {full.rows:,.0f}."
        in MANUAL
    )
