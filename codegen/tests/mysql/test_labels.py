"""A comparison of an enum with a text that is not one of its labels is reported."""

from __future__ import annotations

import pytest

from tests.mysql.conftest import SCHEMA, Compile, only


@pytest.mark.parametrize(
    "condition",
    ["st = 'zz'", "'zz' <> a.st", "st IN ('x', 'zz')", "st <=> ('zz')", "NOT (st = 'zz')"],
)
def test_a_label_that_an_enum_lacks_is_a_warning(either: Compile, condition: str) -> None:
    sql = f"SELECT id FROM a WHERE {condition}"
    _, (problem,) = either(SCHEMA, f"-- name: Q :many\n{sql};")
    assert (problem.code, problem.severity.value) == ("E316", "warning")
    assert problem.message == "st has no label 'zz', so no row has this value"
    (label,) = problem.labels
    assert label.file.text[label.span.start : label.span.end] == "st"
    assert label.text == "of x, y"


def test_the_nearest_label_is_offered(either: Compile) -> None:
    schema = "CREATE TABLE t (id int PRIMARY KEY, st enum('open', 'closed') NOT NULL);"
    _, (problem,) = either(schema, "-- name: Q :many\nSELECT id FROM t WHERE st = 'opne';")
    assert problem.hint == "did you mean `open`?"


@pytest.mark.parametrize(
    "condition", ["st = 'X'", "st = 'x '", "st = ''", "st = '1'", "st = 1", "name = 'zz'", "st = ?"]
)
def test_a_comparison_that_a_row_may_meet_is_not_reported(either: Compile, condition: str) -> None:
    only(either(SCHEMA, f"-- name: Q :many\nSELECT id FROM a WHERE {condition};"))
