"""sqlc's document describes parameters as sqlc's plugins have always used them."""

from __future__ import annotations

from typing import Any

from aiosqlc.config.project import QuerySet
from aiosqlc.emit.json import codegen_request
from aiosqlc.ir import Analysis, TypedQuery
from aiosqlc.mysql.analyzer import AnalysisContext, type_one
from aiosqlc.mysql.catalog import catalog_of
from aiosqlc.mysql.static import schema_from_files
from aiosqlc.parse.queries import parse_files
from aiosqlc.source import Dialect, Span

from tests.mysql.conftest import SCHEMA, files

ENTRY = QuerySet(0, Span(0, 0), Dialect.MYSQL, ("s",), ("q",), Span(0, 0), Span(0, 0))


def said_of(schema: str, sql: str) -> tuple[TypedQuery, dict[str, Any]]:
    """Analyse a query only from its text; return it, and its document."""
    schema_sql, file = files(schema, sql)
    known, _ = schema_from_files([schema_sql])
    (parsed,), _ = parse_files([file], Dialect.MYSQL)
    query, _ = type_one(AnalysisContext(known), parsed)
    assert query is not None
    return query, codegen_request(ENTRY, Analysis(catalog_of(known), (query,)))


def test_a_parameter_may_be_null_where_the_column_it_meets_may() -> None:
    sql = (
        "-- name: Q :many\nSELECT id FROM a WHERE bio = ? AND name = ? AND st IN (sqlc.slice(st))"
        " AND js IS NOT NULL AND char_length(bio) > ?;\n"
    )
    query, document = said_of(SCHEMA, sql)
    assert [param.not_null for param in query.params] == [True] * 4
    (shown,) = document["queries"]
    assert [p["column"]["not_null"] for p in shown["params"]] == [False, True, True, True]


def test_a_set_is_an_enum_and_a_decimal_has_its_precision_as_sqlc_says() -> None:
    schema = (
        "CREATE TABLE t (s set('a', 'bcd') NOT NULL, d decimal(9, 2), n decimal, e enum('x'),"
        " y year, b date);"
    )
    sql = "-- name: Q :many\nSELECT s, d, n, e, y, b FROM t WHERE s = ? AND d > ?;\n"
    _, document = said_of(schema, sql)
    (shown,), (public,) = document["queries"], document["catalog"]["schemas"]
    said = [(c["type"]["name"], c["length"]) for c in shown["columns"]]
    numbers = [("t_s", 5), ("decimal", 9), ("decimal", -1), ("t_e", 1)]
    assert said == [*numbers, ("year", -1), ("date", -1)]
    assert [p["column"]["type"]["name"] for p in shown["params"]] == ["t_s", "decimal"]
    assert {kind["name"]: kind["vals"] for kind in public["enums"]} == {
        "t_e": ["x"],
        "t_s": ["a", "bcd"],
    }
