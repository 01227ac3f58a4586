"""Query files become queries: numbered parameters, no macros, and a position for every offset."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiosqlc.analysis.checks import concerns
from aiosqlc.diagnostics import Severity
from aiosqlc.ir import ParsedQuery
from aiosqlc.parse.queries import parse_file
from aiosqlc.source import Dialect, SourceFile


def parse(body: str, head: str = "-- name: Q :many\n") -> ParsedQuery:
    file = SourceFile(Path("q.sql"), f"{head}{body};\n")
    queries, problems = parse_file(file, Dialect.POSTGRESQL)
    assert problems == []
    [query] = queries
    return query


SQL = [
    ("SELECT @a, @b, @a", "SELECT $1, $2, $1"),
    ("SELECT id=@id, x<=@y", "SELECT id=$1, x<=$2"),
    ("SELECT a <@ b, @ 5, a @> b", "SELECT a <@ b, @ 5, a @> b"),
    ("SELECT @f.f1, @abs(x), @x + 1", "SELECT @f.f1, @abs(x), $1 + 1"),
    ("SELECT sqlc.arg(a), sqlc.narg('b'), sqlc.arg(\"c\")", "SELECT $1, $2, $3"),
    ("SELECT $2, @a, $1", "SELECT $2, $3, $1"),
    ("SELECT '@a', \"@b\", $$@c$$ -- @d", "SELECT '@a', \"@b\", $$@c$$"),
    ("SELECT sqlc.embed(t), x FROM t", "SELECT t.*, x FROM t"),
    ("SELECT 1 WHERE a IN (sqlc.slice(ids))", "SELECT 1 WHERE a = ANY ($1)"),
    ("SELECT 1 WHERE a NOT IN (sqlc.slice(ids))", "SELECT 1 WHERE a <> ALL ($1)"),
    ("SELECT 1 WHERE a = ANY (sqlc.slice(ids))", "SELECT 1 WHERE a = ANY ($1)"),
    ("SELECT sqlc.x FROM sqlc", "SELECT sqlc.x FROM sqlc"),
    ("(TABLE a) UNION TABLE b.c", "(SELECT * FROM a) UNION SELECT * FROM b.c"),
    ("INSERT INTO a TABLE ONLY b", "INSERT INTO a SELECT * FROM ONLY b"),
    ("SELECT a INTO TABLE b FROM c", "SELECT a INTO TABLE b FROM c"),
    ("LOCK TABLE a", "LOCK TABLE a"),
    ("CREATE TABLE a AS SELECT 1", "CREATE TABLE a AS SELECT 1"),
    ('SELECT "TABLE", t.table FROM t', 'SELECT "TABLE", t.table FROM t'),
]


@pytest.mark.parametrize(("body", "sql"), SQL)
def test_parameters_and_macros_become_numbers(body: str, sql: str) -> None:
    assert parse(body).sql == sql


def test_an_offset_of_the_rewritten_text_leads_back_to_the_file() -> None:
    query = parse("SELECT sqlc.arg(first), wrong FROM t")
    at = query.sql.index("wrong")
    assert query.file.text[query.source_map.to_source(at) :].startswith("wrong FROM")
    param = query.source_map.to_source(query.sql.index("$1"))
    assert query.file.text[param:].startswith("sqlc.arg(first)")


def test_narg_makes_a_parameter_nullable_wherever_else_it_is_used() -> None:
    [param] = parse("SELECT @a, sqlc.narg(a)").params
    assert (param.name, param.nullable, len(param.spans)) == ("a", True, 2)


def test_comments_above_are_the_description_and_the_first_block_is_the_files() -> None:
    head = "-- All about users.\n\n-- name: Q :one\n-- Finds one.\n--   Or none.\n"
    query = parse("SELECT 1", head)
    assert query.heading == (" All about users.",)
    assert query.doc == (" Finds one.", "   Or none.")


def test_block_comments_and_options_are_read_too() -> None:
    query = parse("INSERT INTO t VALUES (1)", "/* name: Q :exec :bulk */\n")
    assert (query.name, query.command.value, query.options) == ("Q", "exec", (("bulk", ""),))


VARIANTS = [
    (
        "SELECT 1\nWHERE a = @a -- :if a\n  AND b = @b -- :if b\nLIMIT @n",
        {
            (1, 1): ("SELECT 1\nWHERE a = $1\n  AND b = $2\nLIMIT $3", (1, 2, 3)),
            (1, 0): ("SELECT 1\nWHERE a = $1\nLIMIT $2", (1, 3)),
            (0, 1): ("SELECT 1\nWHERE b = $1\nLIMIT $2", (2, 3)),
            (0, 0): ("SELECT 1\n\nLIMIT $1", (3,)),
        },
    ),
    (
        "SELECT 1 WHERE (\n  a = @a -- :if a\n  OR b = @b -- :if b\n  OR c\n)",
        {
            (1, 1): ("SELECT 1 WHERE ( a = $1 OR b = $2 OR c )", (1, 2)),
            (1, 0): ("SELECT 1 WHERE ( a = $1 OR c )", (1,)),
            (0, 1): ("SELECT 1 WHERE ( b = $1 OR c )", (2,)),
            (0, 0): ("SELECT 1 WHERE ( c )", ()),
        },
    ),
    (
        "INSERT INTO t VALUES (1)\nON CONFLICT DO NOTHING -- :if a\nRETURNING b",
        {
            (1,): ("INSERT INTO t VALUES (1)\nON CONFLICT DO NOTHING\nRETURNING b", ()),
            (0,): ("INSERT INTO t VALUES (1)\nRETURNING b", ()),
        },
    ),
    (
        "SELECT a, b\nORDER BY a, -- :sort a, b desc\n  c",
        {
            (0,): ("SELECT a, b\nORDER BY a,\n  c", ()),
            (1,): ("SELECT a, b\nORDER BY b desc,\n  c", ()),
        },
    ),
    (
        "SELECT a\nORDER BY a -- :sort a desc nulls last|asc  NULLS first, f(b) asc | desc\n",
        {
            (0,): ("SELECT a\nORDER BY a desc nulls last", ()),
            (1,): ("SELECT a\nORDER BY a nulls first", ()),
            (2,): ("SELECT a\nORDER BY f(b)", ()),
            (3,): ("SELECT a\nORDER BY f(b) desc", ()),
        },
    ),
    (
        "SELECT a\nORDER BY a -- :sort a nulls first|nulls last, a nulls last, b|c\n",
        {
            (0,): ("SELECT a\nORDER BY a nulls first", ()),
            (1,): ("SELECT a\nORDER BY a nulls last", ()),
            (2,): ("SELECT a\nORDER BY b|c", ()),
        },
    ),
]


@pytest.mark.parametrize(("body", "expected"), VARIANTS)
def test_every_variant_of_a_dynamic_query_is_written_out(
    body: str, expected: dict[tuple[int, ...], tuple[str, tuple[int, ...]]]
) -> None:
    query = parse(body)
    found = {v.key: (" ".join(v.sql.split()), v.numbers) for v in query.variants}
    assert found == {key: (" ".join(sql.split()), n) for key, (sql, n) in expected.items()}
    assert query.sql == query.variants[0].sql


def test_offsets_of_a_variant_lead_back_to_the_file_too() -> None:
    query = parse("SELECT 1\nWHERE a = @a -- :if a\n  AND wrong = @b -- :if b\n")
    variant = next(v for v in query.variants if v.key == (0, 1))
    at = variant.source_map.to_source(variant.sql.index("wrong"))
    assert query.file.text[at:].startswith("wrong = @b")


@pytest.mark.parametrize(
    "sentence",
    [
        "row: a row's place is its number beside the others",
        "column: the name of whoever asked for this",
        "param: what to look for, a part of a name",
        "ignore: rows that somebody has deleted",
        "rows: all of them",
        "params: id, name",
    ],
)
def test_a_sentence_that_begins_like_an_annotation_is_a_comment(sentence: str) -> None:
    parsed = parse("SELECT 1", f"-- name: Q :one\n-- {sentence}\n")
    assert (parsed.hints, parsed.doc) == ((), (f" {sentence}",))


@pytest.mark.parametrize(
    "annotation",
    [
        "row: a b",
        "colum: total Decimal!",
        "rows: Author",
        "parm: tags ?",
        "nmae: Q :one",
        "column: x",
        "ignore: V1",
    ],
)
def test_a_broken_annotation_is_no_sentence(annotation: str) -> None:
    file = SourceFile(Path("q.sql"), f"-- name: Q :one\n-- {annotation}\nSELECT 1;\n")
    assert [problem.code[:2] for problem in parse_file(file, Dialect.POSTGRESQL)[1]] == ["E1"]


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("-- name: Q :one\nSELECT 1;\nSELECT 2;\n", Severity.ERROR),
        ("-- name: Q :one\nSELECT 1;\n-- a remark\nSELECT 2;\n", Severity.ERROR),
        ("-- name: Q :exec\nBEGIN; UPDATE t SET a = 1; COMMIT;\n", Severity.ERROR),
        ("SELECT 2;\n-- name: Q :one\nSELECT 1;\n", Severity.WARNING),
    ],
)
def test_second_statement_under_a_name_is_an_error(text: str, severity: Severity) -> None:
    for dialect in Dialect:
        queries, problems = parse_file(SourceFile(Path("q.sql"), text), dialect)
        assert [query.name for query in queries] == ["Q"]
        assert {(problem.code, problem.severity) for problem in problems} == {("E113", severity)}
        if severity is Severity.ERROR:
            assert {concerns(problem, queries[0]) for problem in problems} == {True}


def test_empty_statement_behind_a_query_is_no_second_one() -> None:
    _, problems = parse_file(
        SourceFile(Path("q.sql"), "-- name: Q :one\nSELECT 1;;\n; -- end\n"), Dialect.MYSQL
    )
    assert problems == []


@pytest.mark.parametrize("broken", ["SELECT 'a\0b'", "-- a\0b\nSELECT 1", "SELECT 1 /* \0 */ + 1"])
def test_nul_byte_costs_its_query_only(broken: str) -> None:
    text = f"-- name: A :one\nSELECT 1;\n-- name: B :one\n{broken};\n-- name: C :one\nSELECT 3;\n"
    for dialect in Dialect:
        queries, problems = parse_file(SourceFile(Path("q.sql"), text), dialect)
        assert [query.name for query in queries] == ["A", "C"]
        assert [problem.code for problem in problems] == ["E008"]
        assert not any(concerns(problem, query) for problem in problems for query in queries)
