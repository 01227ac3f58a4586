"""Row counts of CALL, and the hints for SHOW and CALL as `:one`."""

from __future__ import annotations

import pytest

from tests.mysql.conftest import SCHEMA, Compile, only

PROCEDURES = """
CREATE PROCEDURE by_key(p bigint unsigned) SELECT name FROM a WHERE id = p;
CREATE PROCEDURE first_one() SELECT name FROM a ORDER BY id LIMIT 1;
CREATE PROCEDURE everything() SELECT name FROM a;
CREATE PROCEDURE by_text(p varchar(9)) SELECT id FROM b WHERE code = p;
"""


@pytest.mark.parametrize("call", ["by_key(?)", "first_one()"])
def test_a_call_is_one_row_where_the_select_of_its_body_is(compile_: Compile, call: str) -> None:
    query = only(compile_(SCHEMA + PROCEDURES, f"-- name: Q :one\nCALL {call};"))
    assert query.cardinality.at_most_one


@pytest.mark.parametrize(
    "call",
    ["everything()", "by_text(?)"],  # a variable's collation need not be that of the key
)
def test_a_call_of_many_rows_says_what_its_body_needs(compile_: Compile, call: str) -> None:
    _, (problem,) = compile_(SCHEMA + PROCEDURES, f"-- name: Q :one\nCALL {call};")
    assert problem.code == "E320"
    assert "does not compare all columns of a unique key" in problem.labels[0].text
    assert problem.hint.startswith("let the procedure's SELECT match")


def test_show_as_one_has_a_hint_without_keys(compile_: Compile) -> None:
    _, (problem,) = compile_(SCHEMA, "-- name: Q :one\nSHOW TABLES;")
    assert (problem.code, problem.hint) == ("E320", "use :many")
