"""After an edit, a file parses to the same result as a new file."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiosqlc.parse import queries, statements
from aiosqlc.parse.scanner import Token
from aiosqlc.source import Dialect, SourceFile
from aiosqlc.store.memo import forget_all
from hypothesis import given
from hypothesis import strategies as st

PIECES = (
    "-- About these.\n\n",
    "-- name: A :one\n-- Finds one.\nSELECT @a, sqlc.narg(b), 'x;y' FROM t WHERE id = @a;\n",
    """\
-- name: B :many
SELECT sqlc.embed(t), 1 FROM t
WHERE true
  AND a = @a -- :if a
  AND b IN (sqlc.slice(bs))
ORDER BY x -- :sort x, y desc
;
""",
    "-- name: C :exec\n-- param: v ?\nUPDATE t SET a = @a, -- :set\n  v = @v WHERE id = $$;$$;",
    "-- name: D :exec\nDELETE FROM t /* ; */ WHERE a = E'\\';' AND id = $1",
    "-- name: E :page\nSELECT id FROM t WHERE a = @a ORDER BY x NULLS LAST, id;\n",
    ";",
    "\n",
    "-- name: B :one\nSELECT 1;\n",
    "SELECT 'unnamed';\n",
    "-- notify: told t\n",
    "-- notify: chosen Chosen\nSELECT a, b FROM t;\n",
    "'",
    "/*",
    "*/",
)
texts = st.lists(st.sampled_from(PIECES), max_size=8).map("".join)
edits = st.tuples(
    st.integers(0, 400), st.integers(0, 90), st.sampled_from(("", "x", *PIECES)) | st.text("a;'-\n")
)


@given(texts, st.lists(edits, min_size=1, max_size=4), st.sampled_from(Dialect))
def test_an_edited_file_parses_as_if_it_were_new(
    text: str, changes: list[tuple[int, int, str]], dialect: Dialect
) -> None:
    path = Path("edited.sql")
    queries.parse_file(SourceFile(path, text), dialect)
    for at, length, put in changes:
        text = text[:at] + put + text[at + length :]
        again = queries.parse_file(SourceFile(path, text), dialect)
        forget()
        assert again == queries.parse_file(SourceFile(path, text), dialect)


def test_a_page_behind_an_edit_has_the_positions_of_a_new_page() -> None:
    path, text = Path("edited.sql"), "-- name: A :one\nSELECT 1;\n"
    text += "-- name: P :page\nSELECT id FROM t ORDER BY x, id;\n"
    forget()
    queries.parse_file(SourceFile(path, text), Dialect.POSTGRESQL)
    text = text.replace("SELECT 1", "SELECT 1, 22")
    *_, moved = queries.parse_file(SourceFile(path, text), Dialect.POSTGRESQL)[0]
    assert moved.paging is not None
    shown = [text[key.span.start : key.span.end] for key in moved.paging.keys]
    assert shown == ["x", "i"]
    assert [text[probe.source_map.to_source(0)] for probe in moved.paging.probes] == ["x"]


def forget() -> None:
    statements._last_seen.cache_clear()
    forget_all()


def test_only_the_edited_statement_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    forget()
    asked: list[str] = []
    real = queries._parse_statement

    def counting(file: SourceFile, tokens: list[Token], dialect: Dialect) -> statements.Parsed:
        found, problems = real(file, tokens, dialect)
        asked.extend(query.name for query in found)
        return found, problems

    monkeypatch.setattr(queries, "_parse_statement", counting)
    text = "".join(f"-- name: Q{number} :one\nSELECT {number};\n" for number in range(9))
    queries.parse_file(SourceFile(Path("one.sql"), text), Dialect.POSTGRESQL)
    assert len(asked) == 9
    asked.clear()
    edited = text.replace("SELECT 4;", "SELECT 4, 44;")
    parsed, _ = queries.parse_file(SourceFile(Path("one.sql"), edited), Dialect.POSTGRESQL)
    assert asked == ["Q4"]
    assert all(edited[query.span.start : query.span.end] == query.sql for query in parsed)
