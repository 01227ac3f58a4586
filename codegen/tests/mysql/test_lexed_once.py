"""The text of a query is split into tokens once, for all stages."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from aiosqlc.parse import scanner
from aiosqlc.source import Dialect
from sqlglot.dialects.dialect import Dialect as Sqlglot

from tests.mysql.conftest import SCHEMA, Compile, only

_QUERY = "-- name: Q :many\nSELECT id, name FROM a WHERE grp = ?;\n"


def test_a_query_of_one_line_is_lexed_once_as_each_text_that_is_made_of_it(
    compile_: Compile, monkeypatch: pytest.MonkeyPatch
) -> None:
    lexed: Counter[str] = Counter()
    whole, parsed = scanner.scan, Sqlglot.tokenize

    def scan(text: str, *arguments: Any) -> Iterator[scanner.Token]:
        yield from whole(text, *arguments)
        lexed[text] += 1  # whole: to read the first words of a text costs little

    def tokenize(dialect: Sqlglot, sql: str, **options: Any) -> Any:
        lexed[f"sqlglot: {sql}"] += 1
        return parsed(dialect, sql, **options)

    scanner.code_tokens.cache_clear()
    ours = [module for name, module in sys.modules.items() if name.startswith("aiosqlc.")]
    for module in ours:
        if getattr(module, "scan", None) is whole:
            monkeypatch.setattr(module, "scan", scan)
    monkeypatch.setattr(Sqlglot, "tokenize", tokenize)
    only(compile_(SCHEMA, _QUERY))
    found = {text: times for text, times in lexed.items() if text.split(": ")[-1][:6] == "SELECT"}
    assert {text: times for text, times in found.items() if "FROM a WHERE" in text} == {
        "SELECT id, name FROM a WHERE grp = $1": 1,
        "SELECT id, name FROM a WHERE grp = :p1_0": 1,  # what sqlglot reads
        "sqlglot: SELECT id, name FROM a WHERE grp = :p1_0": 1,
        "SELECT id, name FROM a WHERE grp = 1": 1,  # what the server plans
    }


def test_the_first_word_of_a_text_is_that_after_its_comments() -> None:
    assert scanner.first_word("/* a */ -- b\n show TABLES") == "SHOW"
    assert scanner.first_word("  -- nothing") == ""
    assert scanner.code_tokens("SELECT 1", Dialect.MYSQL)[0].text == "SELECT"
