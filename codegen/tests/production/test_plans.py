"""A database without rows, under statistics, makes the plans of the database that has the rows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiosqlc.analysis.planned.plan import Plan
from aiosqlc.config.project import Project
from aiosqlc.engines import engine_for
from aiosqlc.engines.planner import Planner
from aiosqlc.ir import AnalyzeOptions, SchemaFile
from aiosqlc.pipeline.analysed import Analysed
from aiosqlc.pipeline.analyzing import analyze_project
from aiosqlc.postgres.planning.trees import explained
from aiosqlc.production.plans import plans
from aiosqlc.production.statistics import (
    Statistics,
    StatisticsError,
    fitted,
    missing,
    parsed,
    written,
)
from aiosqlc.schema import schema_file
from aiosqlc.servers.postgres.connection import Connection
from aiosqlc.servers.postgres.databases import new_database
from aiosqlc.servers.postgres.embedded import Server, embedded_server
from aiosqlc.source import Dialect, SourceFile

from tests.projects import loaded, write_project

SCHEMA = """\
CREATE TABLE customer (id bigint PRIMARY KEY, email text NOT NULL, region int);
CREATE INDEX customer_email ON customer (lower(email));
CREATE TABLE orders (
    id bigint PRIMARY KEY,
    customer_id bigint NOT NULL REFERENCES customer,
    status text NOT NULL,
    created_at timestamptz NOT NULL,
    tags text[],
    span int4range
);
CREATE INDEX orders_customer ON orders (customer_id);
CREATE INDEX orders_open ON orders (created_at) WHERE status = 'open';
CREATE TABLE event (id bigint, at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE event_2023 PARTITION OF event FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
CREATE TABLE event_2024 PARTITION OF event FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE INDEX event_at ON event (at);
"""
ROWS = """\
INSERT INTO customer SELECT n, 'a' || n || '@x.org', n % 50 FROM generate_series(1, 8000) n;
INSERT INTO orders
SELECT n, 1 + (n::bigint * 7919) % 8000, CASE WHEN n % 50 = 0 THEN 'open' ELSE 'done''s' END,
    timestamptz '2024-01-01' + n * interval '1 minute', ARRAY['t' || n % 5], int4range(n, n + n % 7)
FROM generate_series(1, 120000) n;
INSERT INTO event SELECT n, date '2023-10-03' + n % 180 FROM generate_series(1, 20000) n;
VACUUM ANALYZE
"""
# After the last ANALYZE: the planner scales the number of rows to the size of the file.
LATER = """\
INSERT INTO orders SELECT n, 1, 'open', '2024-01-01', NULL, NULL
FROM generate_series(120001, 140000) n
"""
SETTINGS = (
    "random_page_cost = 1.3", "work_mem = '16MB'", "timezone = 'Asia/Tokyo'", "datestyle = 'German'"
)  # fmt: skip
QUERIES = [
    "SELECT * FROM orders WHERE id = $1",
    "SELECT * FROM orders WHERE customer_id = $1",
    "SELECT * FROM orders WHERE status = $1",
    "SELECT * FROM orders WHERE status = 'open' AND created_at > $1",
    """SELECT o.id, c.email FROM orders o JOIN customer c ON c.id = o.customer_id
    WHERE lower(c.email) = $1""",
    "SELECT c.region, count(*) FROM customer c JOIN orders o ON o.customer_id = c.id GROUP BY 1",
    "SELECT * FROM orders ORDER BY created_at DESC LIMIT 20",
    "SELECT id FROM orders WHERE id BETWEEN $1 AND $2",
    "SELECT * FROM orders WHERE tags @> $1",
    "SELECT * FROM orders WHERE span && $1",
    "SELECT count(*) FROM event WHERE at = $1",
    "SELECT * FROM event WHERE at BETWEEN '2024-02-01' AND '2024-02-03'",
    "DELETE FROM customer WHERE id = $1",
    "UPDATE orders SET status = 'x' WHERE customer_id = $1",
    "SELECT count(*) FROM orders",
]


def file(sql: str, name: str = "0001_a.sql") -> SchemaFile:
    return schema_file(SourceFile(Path(name), sql))


class InUse:
    """A database with rows, on a server of some release."""

    def __init__(self, server: Server, name: str) -> None:
        self.uri = server.conninfo(name)

    def plan(self, sql: str) -> Plan | None:
        with Connection(self.uri) as connection:
            return explained(connection, sql, {})


@pytest.fixture(scope="module", params=[16, 18])
def in_use(request: pytest.FixtureRequest) -> Iterator[InUse]:
    with embedded_server(major=request.param) as server, new_database(server) as draft:
        with Connection(draft.conninfo) as connection:
            for statement in (SCHEMA, *ROWS.split(";\n"), LATER):
                assert connection.run(statement) is None
            for setting in SETTINGS:
                assert connection.run(f'ALTER DATABASE "{draft.name}" SET {setting}') is None
        yield InUse(server, draft.name)


@pytest.fixture(scope="module")
def planner() -> Iterator[Planner]:
    with engine_for(Dialect.POSTGRESQL) as engine:
        assert engine.planner
        yield engine.planner


def pulled(planner: Planner, in_use: InUse, *, values: bool = True) -> Statistics:
    found = planner.pulled(in_use.uri, [file(SCHEMA)], AnalyzeOptions(), values=values)
    assert found.notes == ()
    return found.statistics


def reads(plan: Plan) -> list[tuple[str, int]]:
    """Return the relations that a plan reads, with the estimated rows."""
    return [(node.relation, node.rows) for node in plan.walk() if node.relation]


def test_plans_are_those_of_the_database_with_rows(planner: Planner, in_use: InUse) -> None:
    statistics = pulled(planner, in_use)
    with planner.database([file(SCHEMA)], AnalyzeOptions(), statistics) as database:
        assert database.notes == ()
        for sql in QUERIES:
            ours, theirs = database.plan(sql), in_use.plan(sql)
            assert ours
            assert theirs
            assert ours.shape == theirs.shape, sql
            assert reads(ours) == reads(theirs), sql
            assert ours.cost == pytest.approx(theirs.cost, rel=0.02), sql
        # Without the height of the index the costs of a lookup would differ by 0.25.
        ours, theirs = database.plan(QUERIES[0]), in_use.plan(QUERIES[0])
        assert ours
        assert theirs
        assert ours.cost == pytest.approx(theirs.cost, abs=0.01)


def test_the_file_holds_all_and_is_the_same_twice(planner: Planner, in_use: InUse) -> None:
    statistics = pulled(planner, in_use)
    text = written(statistics)
    assert text == written(pulled(planner, in_use))
    assert re.search(r"histogram_bounds', '\{\"2024-[-0-9]+ [:0-9]+\+00\"", text)
    assert "SET random_page_cost = '1.3';" in text
    again = parsed(text, Path("stats.sql"))
    assert written(again) == text
    assert set(again.columns) == set(statistics.columns)
    assert set(again.relations) == set(statistics.relations)


def test_without_values_no_value_of_a_row_is_in_the_file(planner: Planner, in_use: InUse) -> None:
    statistics = pulled(planner, in_use, values=False)
    text = written(statistics)
    assert "done" in written(pulled(planner, in_use))
    assert "done" not in text
    assert "@x.org" not in text
    with planner.database([file(SCHEMA)], AnalyzeOptions(), statistics) as database:
        assert database.notes == ()
        plan = database.plan("SELECT * FROM orders WHERE customer_id = $1")
        assert plan
        assert (plan.node, plan.rows) == ("Bitmap Heap Scan", 16)


def test_a_renamed_column_keeps_its_statistics(planner: Planner, in_use: InUse) -> None:
    later = file(
        "ALTER TABLE orders RENAME COLUMN customer_id TO buyer_id;"
        "ALTER TABLE orders ADD COLUMN note text;"
        "ALTER TABLE orders RENAME TO purchase; CREATE TABLE fresh (id int PRIMARY KEY);",
        "0002_b.sql",
    )
    schema = [file(SCHEMA), later]
    with engine_for(Dialect.POSTGRESQL) as engine:
        catalog = engine.analyze(schema, [], AnalyzeOptions())[0].catalog
    statistics = fitted(pulled(planner, in_use), schema, catalog)
    assert missing(statistics, catalog) == (
        "no statistics, so the planner assumes a table of ten pages: fresh",
        "no statistics, so the planner uses its defaults: purchase.note",
    )
    with planner.database(schema, AnalyzeOptions(), statistics) as database:
        plan = database.plan("SELECT * FROM purchase WHERE buyer_id = $1")
        assert plan
        assert (plan.rows, plan.children[0].index) == (16, "orders_customer")


def test_a_new_partition_has_the_statistics_of_a_sibling(planner: Planner, in_use: InUse) -> None:
    later = file(
        "CREATE TABLE event_2025 PARTITION OF event"
        " FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');"
        "CREATE TABLE other (id bigint, at date NOT NULL) PARTITION BY RANGE (at);"
        "CREATE TABLE other_1 PARTITION OF other FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');",
        "0002_b.sql",
    )
    schema = [file(SCHEMA), later]
    with engine_for(Dialect.POSTGRESQL) as engine:
        catalog = engine.analyze(schema, [], AnalyzeOptions())[0].catalog
    with planner.database(schema, AnalyzeOptions(), pulled(planner, in_use)) as database:
        assert database.statistics
        assert missing(database.statistics, catalog) == (
            "no statistics, so the planner assumes a table of ten pages: other",
            "no statistics, so the planner assumes a table of ten pages: other_1",
        )
        note = "no statistics of the partition event_2025: those of event_2024 are used"
        assert note in database.notes
        old = database.plan("SELECT * FROM event_2024")
        whole = database.plan("SELECT * FROM event_2025")
        new = database.plan("SELECT * FROM event WHERE at >= '2025-01-01'")
        found = database.plan("SELECT * FROM event WHERE at = '2025-03-03'")
    assert old
    assert whole
    assert new
    assert found
    assert whole.rows == old.rows > 5000
    # The values of the key are unknown, so a range of all rows is estimated as half of them.
    assert new.rows == round(old.rows / 2)
    assert "event_2025_at_idx" in {node.index for node in found.walk()}


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda text: "", "is not a file of `aiosqlc stats`"),
        (lambda text: "-- PostgreSQL database dump\n" + text, "is not a file of `aiosqlc stats`"),
        (lambda text: text.replace("format 1", "format 2"), "has format 2"),
        (lambda text: text[: len(text) // 2], "ends before the line"),
        (lambda text: text[: text.rindex("-- end")], "ends before the line"),
        (lambda text: text.replace("'relpages', '", "'relpages', 'x", 1), "type integer"),
        (lambda text: text.replace("'null_frac', '0'", "'null_frac', '{'", 1), "type real"),
        (lambda text: text.replace("'reltuples', '", "'reltuples', '1e999", 1), "type real"),
        (lambda text: text.replace("null_frac", "nul_frac", 1), "unknown argument `nul_frac`"),
        (lambda text: text.replace("SET work_mem", "SET search_path", 1), "unknown setting"),
        (lambda text: text.replace(");\n", ");\nDROP TABLE orders;\n", 1), "expected a call"),
        (lambda text: text.replace("-- end: ", "-- end: 1"), "statements instead of"),
        (lambda text: text.replace("'orders_pkey'", "'orders'", 1), "size of orders occurs twice"),
    ],
)
def test_a_spoiled_file_is_refused_with_one_sentence(
    spoil: object, said: str, planner: Planner, in_use: InUse
) -> None:
    assert callable(spoil)
    text = written(pulled(planner, in_use))
    with pytest.raises(StatisticsError, match=said):
        parsed(spoil(text), Path("stats.sql"))


def analysed(folder: Path, schema: str, queries: str) -> tuple[Project, Analysed]:
    config = (
        'version: "2"\nsql:\n  - {engine: postgresql, schema: migrations, queries: queries,'
        " gen: {python: {out: out}}}\n"
    )
    write_project(
        folder, {"sqlc.yaml": config, "migrations/1.sql": schema, "queries/q.sql": queries}
    )
    project = loaded(folder)
    (part,) = analyze_project(project)
    return project, part


DYNAMIC = """\
-- name: Find :many
SELECT id FROM orders
WHERE TRUE
  AND status = @status -- :if status
ORDER BY id -- :sort id, created_at
;
-- name: Vacuum :exec
SET work_mem = '1MB';
"""


def test_every_text_of_a_query_has_a_plan(planner: Planner, in_use: InUse, tmp_path: Path) -> None:
    _, part = analysed(tmp_path, SCHEMA, DYNAMIC)
    found = plans(planner, part, pulled(planner, in_use))
    assert found.with_statistics
    assert [(item.variant, item.plan is None) for item in found.texts] == [
        ("with status, sort id", False),
        ("with status, sort created_at", False),
        ("without optional parts, sort id", False),
        ("without optional parts, sort created_at", False),
        ("", True),
    ]


def test_without_statistics_a_plan_shows_only_usable_indexes(
    planner: Planner, tmp_path: Path
) -> None:
    queries = "-- name: A :many\nSELECT * FROM orders WHERE customer_id = @id;\n"
    _, part = analysed(tmp_path, SCHEMA, queries)
    found = plans(planner, part, None)
    assert not found.with_statistics
    assert found.texts[0].plan
    assert "orders_customer" in [node.index for node in found.texts[0].plan.walk()]


def test_statistics_of_another_schema_are_refused(
    planner: Planner, in_use: InUse, tmp_path: Path
) -> None:
    _, part = analysed(tmp_path, "CREATE TABLE other (id int PRIMARY KEY);", "")
    with pytest.raises(StatisticsError, match="from another database"):
        plans(planner, part, pulled(planner, in_use))


STRANGE = """\
CREATE SCHEMA app;
CREATE SCHEMA "Of.App";
CREATE TABLE app.big (id int PRIMARY KEY, kind text NOT NULL, at point);
CREATE INDEX big_kind ON app.big (kind);
CREATE TABLE "Of.App"."Odd ""One" ("Id" int PRIMARY KEY, "a.b" int NOT NULL);
CREATE INDEX "Its.Index" ON "Of.App"."Odd ""One" ("a.b");
CREATE TABLE parts (id int NOT NULL, kind int NOT NULL) PARTITION BY LIST (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES IN (2);
CREATE INDEX parts_id ON parts (id);
"""


@pytest.fixture(scope="module")
def strange(planner: Planner) -> Statistics:
    rows = {("app", "big"): 10**6, ("Of.App", 'Odd "One'): 10**6, ("public", "parts"): 10**6}
    return planner.synthesised([file(STRANGE)], AnalyzeOptions(), rows).statistics


@pytest.mark.parametrize(
    ("sql", "index"),
    [
        ("SELECT * FROM app.big WHERE kind = $1", "app.big_kind"),
        ("""SELECT * FROM "Of.App"."Odd ""One" WHERE "a.b" = $1""", "Of.App.Its.Index"),
        ("SELECT * FROM parts WHERE id = 1 AND kind = $1 LIMIT 1", "parts_1_id_idx"),
    ],
)
def test_an_index_can_be_left_out(
    sql: str, index: str, planner: Planner, strange: Statistics
) -> None:
    with planner.database([file(STRANGE)], AnalyzeOptions(), strange) as database:
        assert database.notes == ()
        before = database.plan(sql)
        after = database.plan(sql, without=[index])
        assert before
        assert after
        assert index in {node.index for node in before.walk()}
        assert index not in {node.index for node in after.walk()}


@pytest.mark.parametrize(
    ("sql", "what"),
    [
        ("SELECT * FROM app.big WHERE id % 7 = $1", "app.big ((id % 7))"),
        ("SELECT * FROM parts WHERE kind = $1", "parts (kind)"),
    ],
)
def test_an_index_that_is_tried_has_its_name_in_plans(
    sql: str, what: str, planner: Planner, strange: Statistics
) -> None:
    schema = [file(STRANGE)]
    tried = [what, "app.big (at)", "no such table (id)"]
    with (
        planner.database(schema, AnalyzeOptions(), strange) as first,
        first.trying(tried) as database,
    ):
        assert list(database.tried) == [what]
        name = database.tried[what]
        before, after = database.plan(sql), database.plan(sql, using=[name])
        assert before
        assert after
        assert name not in {node.index for node in before.walk()}
        assert name in {node.index for node in after.walk()}
