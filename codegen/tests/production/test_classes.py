"""Common and rare values of parameters have plans of their own, and no value is ever shown."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from aiosqlc.analysis.planned.arrays import items_of
from aiosqlc.analysis.planned.statistics import ColumnStatistics, Statistics
from aiosqlc.cli.main import main
from aiosqlc.diagnostics import Diagnostic
from aiosqlc.engines import engine_for
from aiosqlc.engines.planner import Planner
from aiosqlc.ir import AnalyzeOptions
from aiosqlc.pipeline.analyzing import analyze_project
from aiosqlc.production.advice.check import advise
from aiosqlc.production.advice.classes import with_literals
from aiosqlc.production.statistics import written
from aiosqlc.schema import schema_file
from aiosqlc.source import Dialect, SourceFile
from msgspec.structs import replace

from tests.projects import loaded, write_project

SCHEMA = """\
CREATE TABLE orders (
    id bigint PRIMARY KEY, tenant_id int NOT NULL, status text NOT NULL, tags text[] NOT NULL,
    note text NOT NULL, at timestamptz NOT NULL
);
CREATE INDEX orders_tenant ON orders (tenant_id);
"""
ROWS = 5_000_000
SECRET = "s3cret"
STATUS = (
    ("n_distinct", "3"),
    ("most_common_vals", f"{{s3cret_done,\"s3cret 'open'\",{SECRET}}}"),
    ("most_common_freqs", "{0.98,0.0199,0.0001}"),
)
TENANT = (
    ("n_distinct", "100000"),
    ("most_common_vals", "{7000007}"),
    ("most_common_freqs", "{0.4}"),
    ("histogram_bounds", f"{{{','.join(str(n) for n in range(1, 6_000_000, 60_000))}}}"),
)
DAYS = [f"2024-{month:02}-{day:02} 00:00:00+00" for month in range(1, 13) for day in range(1, 29)]
AT = (
    ("n_distinct", "-1"),
    ("histogram_bounds", "{" + ",".join(f'"{day}"' for day in DAYS) + "}"),
    ("correlation", "1"),
)
# The code, the words of the finding, and the query. A code '' means that nothing is found.
CASES = [
    ("V030", "a rare value of status", ":many", "SELECT id FROM orders WHERE status = @s"),
    ("V030", "a rare value of status", ":many", "SELECT id FROM orders WHERE @s = status"),
    (
        "V030",
        "a rare value of status",
        ":many",
        "SELECT id FROM orders WHERE status = ANY (@s::text[])",
    ),
    ("V030", "a rare value of status", ":exec", "UPDATE orders SET note = @n WHERE status = @s"),
    (
        "V032",
        "a common value of tenant_id",
        ":many",
        "SELECT note FROM orders WHERE tenant_id = @t ORDER BY note",
    ),
    ("V030", "a narrow range of at", ":many", "SELECT id FROM orders WHERE at >= @a"),
    ("", "", ":many", "SELECT id FROM orders WHERE id = @id"),
    ("", "", ":many", "SELECT id FROM orders WHERE tenant_id = @t"),
    ("", "", ":exec", "INSERT INTO orders VALUES (@id, @t, @s, @g, @n, @a)"),
]
QUERIES = "".join(
    f"-- name: Q{number} {how}\n{sql};\n" for number, (*_, how, sql) in enumerate(CASES)
)
CONFIG = """\
version: "2"
sql:
  - engine: postgresql
    schema: migrations
    queries: queries
    production: {statistics: stats.sql}
    gen: {python: {out: out}}
"""


@pytest.fixture(scope="module")
def planner() -> Iterator[Planner]:
    with engine_for(Dialect.POSTGRESQL) as engine:
        assert engine.planner
        yield engine.planner


@pytest.fixture(scope="module")
def statistics(planner: Planner) -> Statistics:
    file = schema_file(SourceFile(Path("1.sql"), SCHEMA))
    rows = {("public", "orders"): ROWS}
    found = planner.synthesised([file], AnalyzeOptions(), rows).statistics
    changed = {"status": STATUS, "tenant_id": TENANT, "at": AT}
    return replace(
        found, columns=tuple(with_pairs(one, changed.get(one.column, ())) for one in found.columns)
    )


def with_pairs(one: ColumnStatistics, pairs: Sequence[tuple[str, str]]) -> ColumnStatistics:
    return replace(one, values=tuple({**dict(one.values), **dict(pairs)}.items()))


def found_by(planner: Planner, folder: Path, queries: str, stats: Statistics) -> list[Diagnostic]:
    write_project(
        folder, {"sqlc.yaml": CONFIG, "migrations/1.sql": SCHEMA, "queries/q.sql": queries}
    )
    (part,) = analyze_project(loaded(folder))
    assert not part.failed, part.diagnostics
    return list(advise(planner, part, stats).findings)


def shown(item: Diagnostic) -> str:
    return " ".join((item.message, item.hint, *item.notes))


@pytest.fixture(scope="module")
def found(
    planner: Planner, statistics: Statistics, tmp_path_factory: pytest.TempPathFactory
) -> list[Diagnostic]:
    """The findings of all queries."""
    return found_by(planner, tmp_path_factory.mktemp("all"), QUERIES, statistics)


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case[3][:60] for case in CASES])
def test_a_finding_names_the_class_of_values(number: int, found: list[Diagnostic]) -> None:
    code, words, *_ = CASES[number]
    mine = [
        item
        for item in found
        for label in item.labels
        if label.file.text[label.span.start : label.span.end] == f"Q{number}"
    ]
    assert [item.code for item in mine] == ([code] if code else [])
    for item in mine:
        assert f"only for {words}; the generic plan has no such finding" in item.notes
        assert SECRET not in shown(item)
        assert "7000007" not in shown(item)


def test_without_values_only_generic_plans_are_checked(
    planner: Planner, statistics: Statistics, tmp_path: Path
) -> None:
    kept = ("null_frac", "avg_width", "n_distinct", "correlation")
    columns = tuple(
        replace(one, values=tuple(pair for pair in one.values if pair[0] in kept))
        for one in statistics.columns
    )
    none = replace(statistics, columns=columns, with_values=False)
    assert found_by(planner, tmp_path, QUERIES, none) == []


def test_a_finding_of_the_generic_plan_is_not_repeated(
    planner: Planner, statistics: Statistics, tmp_path: Path
) -> None:
    queries = "-- name: Q :many\nSELECT id FROM orders WHERE status = @s AND note = @n;\n"
    (item,) = found_by(planner, tmp_path, queries, statistics)
    assert item.code == "V030"
    assert "only for" not in shown(item)


def test_no_value_is_in_a_proposed_partial_index(
    planner: Planner, statistics: Statistics, tmp_path: Path
) -> None:
    queries = (
        "-- name: Q :many\nSELECT id FROM orders WHERE status = @s AND at >= @a;\n"
        "-- name: R :many\nSELECT id FROM orders WHERE status = @s ORDER BY note LIMIT 20;\n"
    )
    found = found_by(planner, tmp_path, queries, statistics)
    assert {item.code for item in found} >= {"V030"}
    for item in found:
        assert "WHERE" not in item.hint
        assert SECRET not in shown(item)


def test_explain_shows_the_other_plans_without_values(
    statistics: Statistics, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sql = SCHEMA + "CREATE INDEX orders_status ON orders (status);\n"
    write_project(
        tmp_path,
        {
            "sqlc.yaml": CONFIG,
            "migrations/1.sql": sql,
            "queries/q.sql": "-- name: Q :many\nSELECT id FROM orders WHERE status = @s;\n",
            "stats.sql": written(statistics),
        },
    )
    assert main(["explain", "Q", "--plan", "-f", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "plan in production:\n    " in out
    assert "plan in production, for a rare value of status:\n    Bitmap" in out
    assert SECRET not in out
    assert main(["explain", "Q", "--plan", "--json", "-f", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    values = [item["values"] for item in json.loads(out)["plans"]]
    assert values[0] == ""
    assert "a rare value of status" in values
    assert SECRET not in out


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("{}", []),
        ("{a,b}", ["a", "b"]),
        ('{"a,b","c \\"d\\"","e\\\\f",g h}', ["a,b", 'c "d"', "e\\f", "g h"]),
        ('{"",x}', ["", "x"]),
    ],
)
def test_items_of_an_array_are_read(text: str, items: list[str]) -> None:
    assert items_of(text) == items


def test_literals_replace_parameters_but_no_other_text() -> None:
    sql = "SELECT '$1', \"$1\", $1, $10 /* $1 */ FROM a WHERE b = $1 AND c = $2 -- $1"
    assert with_literals(sql, {1: "'x'"}) == (
        "SELECT '$1', \"$1\", 'x', $10 /* $1 */ FROM a WHERE b = 'x' AND c = $2 -- $1"
    )
