"""Lines that are too long are broken at white space, without a change of meaning."""

from __future__ import annotations

import pytest
from aiosqlc.parse.scanner import Kind, scan
from aiosqlc.plan.folding import fold
from aiosqlc.source import Dialect

_NAMES = ", ".join(f"column_number_{n}" for n in range(20))
_POSTGRES, _MYSQL = Dialect.POSTGRESQL, Dialect.MYSQL


@pytest.mark.parametrize(
    ("engine", "sql"),
    [
        (_POSTGRES, f"SELECT {_NAMES} FROM wide WHERE id = $1 AND name = 'x  y' FOR NO KEY UPDATE"),
        (_POSTGRES, f"WITH w AS (\n  SELECT {_NAMES}\n  FROM wide\n)\nSELECT {_NAMES} FROM w"),
        (_POSTGRES, f"SELECT $tag$ one  two\n   three $tag$, {_NAMES}, 'a' \n 'b' FROM wide"),
        (_POSTGRES, f"SELECT 1 -- {'word ' * 60}\nFROM wide"),
        (_MYSQL, f"SELECT `{'a b ' * 10}`, {_NAMES} # why\nFROM wide WHERE x = 'it''s' \"two\""),
        (_MYSQL, f"SELECT /*!50000 {_NAMES}, */ 1 FROM wide WHERE id = ?"),
    ],
)
def test_a_folded_text_has_the_same_tokens_on_shorter_lines(engine: Dialect, sql: str) -> None:
    found = fold(sql, engine, 100)
    assert _said(found, engine) == _said(sql, engine)
    assert max(map(len, found.split("\n"))) <= 100


def test_a_line_is_broken_before_a_clause_then_after_a_comma() -> None:
    assert fold("SELECT one, two, three FROM table_of_words WHERE one = 1", _POSTGRES, 30) == (
        "SELECT one, two, three\nFROM table_of_words\nWHERE one = 1"
    )
    assert fold("SELECT one, two, a + b, three, four", _POSTGRES, 22) == (
        "SELECT one, two,\n    a + b, three, four"
    )


@pytest.mark.parametrize("sql", ["SELECT 1", "SELECT '" + "x " * 90 + "'", "", "x" * 150])
def test_what_is_short_or_has_no_gap_stays_as_it_is(sql: str) -> None:
    assert "".join(fold(sql, _POSTGRES, 100).split()) == "".join(sql.split())


def _said(sql: str, engine: Dialect) -> tuple[list[str], list[str]]:
    tokens = list(scan(sql, engine))
    comments = " ".join(t.text.lstrip("- ") for t in tokens if t.kind is Kind.COMMENT).split()
    return [token.text for token in tokens if token.kind is not Kind.COMMENT], comments
