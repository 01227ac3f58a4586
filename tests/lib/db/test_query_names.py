"""The name of a statement whose text was expanded for several rows."""

from __future__ import annotations

import pytest

from lib.db.query_names import found_by_text

PLAIN = "INSERT INTO t (a, b) VALUES (%s, %s)"
TAIL = "INSERT INTO t (a, b) VALUES (%s, lower(trim(%s))) ON DUPLICATE KEY UPDATE b = VALUES(b)"
TWICE = "SELECT 1 WHERE (1), (1)"
NAMED = {PLAIN: "Plain", TAIL: "Tail", TWICE: "Twice"}


@pytest.mark.parametrize("rows", [1, 2, 1000])
def test_a_statement_of_any_number_of_rows_has_the_name_of_that_with_one(rows: int) -> None:
    for template, row, name in (
        (PLAIN, "(%s, %s)", "Plain"),
        (TAIL, "(%s, lower(trim(%s)))", "Tail"),
    ):
        assert found_by_text(NAMED, template.replace(row, ", ".join([row] * rows), 1)) == name


def test_a_text_that_repeats_itself_keeps_its_own_name_and_others_have_none() -> None:
    assert found_by_text(NAMED, TWICE) == "Twice"
    for text in ("SELECT 1", f"{PLAIN}, (%s)", "(" * 50_000, "(a" * 20_000 + ")" * 20_000):
        assert found_by_text(NAMED, text) is None
