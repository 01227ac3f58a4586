"""UPDATE IGNORE and DELETE IGNORE are read like the statements without the word."""

from __future__ import annotations

import pytest

from tests.mysql.conftest import SCHEMA, Compile, only


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE IGNORE a SET grp = ? WHERE id = ?",
        "UPDATE LOW_PRIORITY IGNORE a SET grp = ? WHERE id = ?",
    ],
)
def test_the_parameters_of_update_ignore_are_typed(either: Compile, sql: str) -> None:
    query = only(either(SCHEMA, f"-- name: Q :execrows\n{sql};"))
    assert [param.type.name for param in query.params] == ["int", "bigint"]
    assert query.writes == ("a",)


def test_the_parameters_of_delete_ignore_are_typed(either: Compile) -> None:
    query = only(either(SCHEMA, "-- name: Q :exec\nDELETE QUICK IGNORE FROM a WHERE id = ?;"))
    assert [param.type.name for param in query.params] == ["bigint"]


@pytest.mark.parametrize("statement", ["UPDATE {}a SET name = ?", "DELETE {}FROM a"])
def test_with_ignore_no_constraint_is_violated(compile_: Compile, statement: str) -> None:
    def violable(word: str) -> bool:
        sql = statement.format(word)
        return bool(only(compile_(SCHEMA, f"-- name: Q :exec\n{sql};")).violable)

    assert violable("")
    assert not violable("IGNORE ")


def test_the_row_that_delete_ignore_returns_is_counted(compile_: Compile) -> None:
    sql = "DELETE IGNORE FROM b WHERE id = ? RETURNING title"
    assert only(compile_(SCHEMA, f"-- name: Q :one\n{sql};")).cardinality.at_most_one
