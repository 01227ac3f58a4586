"""`:batchget` on MySQL: the columns that can be keys, with the server and from the text alone."""

from __future__ import annotations

import pytest

from tests.mysql.conftest import Compile

SCHEMA = """
CREATE TABLE t (
    id int PRIMARY KEY, big bigint unsigned, flag bool, day date, moment datetime(6),
    raw varbinary(9), fixed binary(4),
    exact varchar(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin,
    padded varchar(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
    ci varchar(9) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci,
    filled char(4) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin,
    price decimal(9, 2), rate double, stamp timestamp, mood enum ('a', 'b')
);
"""


@pytest.mark.parametrize("column", ["id", "big", "flag", "day", "moment", "raw", "fixed"])
def test_a_column_whose_values_python_compares_alike_can_be_a_key(
    either: Compile, column: str
) -> None:
    assert keys(either, f"SELECT id FROM t WHERE {column} = sqlc.arg(x)") == (1,)


def test_a_text_is_a_key_by_a_collation_that_the_server_states(compile_: Compile) -> None:
    assert keys(compile_, "SELECT id FROM t WHERE exact = sqlc.arg(x)") == (1,)


@pytest.mark.parametrize("column", ["padded", "ci", "filled", "price", "rate", "stamp", "mood"])
def test_a_column_that_finds_other_values_cannot(either: Compile, column: str) -> None:
    assert keys(either, f"SELECT id FROM t WHERE {column} = sqlc.arg(x)") == ()


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("SELECT id FROM t WHERE id = sqlc.arg(x) LIMIT 1", "LIMIT"),
        ("SELECT id FROM t WHERE id = sqlc.arg(x) LIMIT 5 OFFSET 1", "LIMIT"),
        ("SELECT max(id) FROM t WHERE id = sqlc.arg(x)", "GROUP BY"),
        ("SELECT big FROM t WHERE id = sqlc.arg(x) GROUP BY big", "GROUP BY"),
        ("SELECT big FROM t WHERE id = sqlc.arg(x) GROUP BY big WITH ROLLUP", "GROUP BY"),
        ("SELECT row_number() OVER (ORDER BY big) FROM t WHERE id = sqlc.arg(x)", "window"),
        ("SELECT id FROM t WHERE id = sqlc.arg(x) UNION SELECT 1", "set operation"),
        ("SELECT id FROM t WHERE id = sqlc.arg(x) FOR UPDATE", "lock"),
        ("DELETE FROM t WHERE id = sqlc.arg(x)", "only a SELECT"),
    ],
)
def test_a_clause_that_combines_or_counts_rows_is_named(
    either: Compile, sql: str, why: str
) -> None:
    (query,), _ = either(SCHEMA, f"-- name: Q :many :batchget\n{sql};")
    assert query.lookup is not None
    assert why in query.lookup.why


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT DISTINCT big FROM t WHERE id = sqlc.arg(x) ORDER BY big",
        "SELECT (SELECT max(u.id) FROM t AS u) FROM t WHERE id = sqlc.arg(x)",
        "SELECT t.id FROM t JOIN t AS u ON u.id = t.big WHERE t.id = sqlc.arg(x)",
    ],
)
def test_clauses_that_keep_the_rows_of_a_key_together_do_not_matter(
    either: Compile, sql: str
) -> None:
    assert keys(either, sql) == (1,)


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("id = sqlc.arg(x)\nAND day = sqlc.arg(day) -- :if day\n", (1,)),
        ("day = sqlc.arg(day) -- :if day\nAND id = sqlc.arg(x) AND big = sqlc.arg(y)\n", (2, 3)),
        ("id = sqlc.arg(x) AND price > sqlc.arg(p)\nAND rate = sqlc.arg(r) -- :if r\n", (1,)),
    ],
)
def test_each_text_of_a_dynamic_query_reads_by_the_key(
    either: Compile, sql: str, found: tuple[int, ...]
) -> None:
    assert keys(either, f"SELECT id FROM t WHERE\n{sql}") == found


def keys(compiled: Compile, sql: str) -> tuple[int, ...]:
    (query,), _ = compiled(SCHEMA, f"-- name: Q :many :batchget\n{sql};")
    assert query.lookup is not None
    assert query.lookup.why == ""
    return query.lookup.keys
