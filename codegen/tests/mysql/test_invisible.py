"""Invisible columns: `*` omits them, their names find them, and no row is incomplete."""

from __future__ import annotations

import pytest

from tests.mysql.conftest import only

SCHEMA = """
CREATE TABLE t (id int PRIMARY KEY, secret text INVISIBLE, name text NOT NULL);
CREATE TABLE u (id int PRIMARY KEY, secret text INVISIBLE, other int);
"""


@pytest.mark.parametrize(
    ("sql", "columns", "sent"),
    [
        ("SELECT * FROM t", "id name", "SELECT id, name FROM t"),
        ("SELECT t.*, secret FROM t", "id name secret", "SELECT t.id, t.name, secret FROM t"),
        ("SELECT x.* FROM (SELECT secret FROM t) x", "secret", None),
        ("SELECT name, other FROM t NATURAL JOIN u", "name other", None),
        ("SELECT t.name FROM t WHERE secret IS NOT NULL", "name", None),
    ],
)
def test_a_star_leaves_invisible_columns_out(either, sql, columns, sent) -> None:
    query = only(either(SCHEMA, f"-- name: Q :many\n{sql};"))
    assert [column.name for column in query.columns] == columns.split()
    assert sent is None or query.sql == sent


def test_an_insert_without_names_fills_what_is_visible(either) -> None:
    query = only(either(SCHEMA, "-- name: Q :exec\nINSERT INTO t VALUES (?, ?);"))
    assert [param.name for param in query.params] == ["id", "name"]


def test_a_row_that_would_not_be_whole_is_not_embedded(either) -> None:
    _, problems = either(SCHEMA, "-- name: Q :many\nSELECT sqlc.embed(t) FROM t;")
    assert [problem.code for problem in problems] == ["E342"]
