"""The user's own search: true claims pass, and false claims are reported with a row."""

from __future__ import annotations

from dataclasses import dataclass

from aiosqlc.ir import Analysis, AnalyzeOptions, Cardinality, SchemaFile
from aiosqlc.postgres import Analyzer
from aiosqlc.postgres.explain import full_scans, query_plans
from aiosqlc.selfcheck.search import selfcheck
from aiosqlc.source import Dialect
from msgspec.structs import replace

from tests.postgres.asking import TABLES, query, run, schema_file

SQLS = (
    "select id, bio from a",
    "select a.name, b.title from a left join b on b.aid = a.id",
    "select name from a where grp = $1",
    "insert into a (id, name, bio, grp) values ($1, $2, $3, $4) returning bio, name",
)


@dataclass(frozen=True)
class _Entry:
    database_uri: str | None = None
    engine: Dialect = Dialect.POSTGRESQL


@dataclass(frozen=True)
class _Inputs:
    schema: tuple[SchemaFile, ...]
    shims: tuple[SchemaFile, ...] = ()


@dataclass(frozen=True)
class _Analysed:
    analysis: Analysis
    entry: _Entry = _Entry()
    inputs: _Inputs = _Inputs((schema_file(TABLES),))


def _analysis() -> Analysis:
    return run(TABLES, [query(sql, f"Q{n}") for n, sql in enumerate(SQLS)])[0]


def test_true_claims_survive() -> None:
    checked = selfcheck(_Analysed(_analysis()))
    assert (checked.refuted, checked.unrun, checked.rowless) == ((), (), ())


def test_what_never_ran_and_what_never_returned_a_row_is_named() -> None:
    sqls = (
        "select 1 / (id - id) from a",
        "select id from a where id <> id",
        "update b set aid = null",
        "select 1 / 0 as n",
        "select id from a",
        "update b set aid = 1, x = 2",
    )
    analysis = run(TABLES, [query(sql, f"Q{n}") for n, sql in enumerate(sqls)])[0]
    checked = selfcheck(_Analysed(analysis))
    assert [p.message.split("`")[1] for p in checked.unrun] == ["Q3"]
    assert checked.unrun[0].notes == ("the last refusal: division by zero",)
    assert checked.rowless == ("Q0", "Q1", "Q2")


def test_a_false_not_null_is_refuted_by_a_row() -> None:
    honest = _analysis()
    lying = tuple(
        replace(q, columns=tuple(replace(c, not_null=True) for c in q.columns))
        for q in honest.queries
    )
    found = selfcheck(_Analysed(replace(honest, queries=lying))).refuted
    assert {p.message for p in found} == {
        "Q0: this guarantee is false: column bio is NOT NULL",
        "Q1: this guarantee is false: column title is NOT NULL",
        "Q3: this guarantee is false: column bio is NOT NULL",
    }
    assert all("NULL" in p.notes[0] for p in found)


def test_a_false_row_count_is_refuted() -> None:
    honest = _analysis()
    lying = tuple(replace(q, cardinality=Cardinality.ONE) for q in honest.queries)
    found = selfcheck(_Analysed(replace(honest, queries=lying))).refuted
    assert any("at most one row" in p.message for p in found)
    assert any("at least one row" in p.message for p in found)


def test_a_plan_shows_what_no_index_serves() -> None:
    analysis = _analysis()
    schema = (schema_file(TABLES),)
    with Analyzer() as analyzer:
        shown = query_plans(analyzer, schema, analysis.queries, AnalyzeOptions())
        opened = analyzer.opened(schema, AnalyzeOptions())
        assert opened is not None
        assert full_scans(shown["Q2"], opened[1]) == ("a",)
        assert full_scans(shown["Q3"], opened[1]) == ()
