"""The scanner splits SQL into tokens as the servers do."""

from __future__ import annotations

import pytest
from aiosqlc.parse.scanner import Kind, scan, split_statements
from aiosqlc.source import Dialect
from hypothesis import given
from hypothesis import strategies as st

POSTGRES = [
    ("'it''s; -- no'", [(Kind.STRING, "'it''s; -- no'")]),
    (r"E'\'' x", [(Kind.STRING, r"E'\''"), (Kind.NAME, "x")]),
    (r"'\' x", [(Kind.STRING, r"'\'"), (Kind.NAME, "x")]),
    ("$$ ; $x$ $$", [(Kind.STRING, "$$ ; $x$ $$")]),
    ("$x$ $$ $x$y", [(Kind.STRING, "$x$ $$ $x$"), (Kind.NAME, "y")]),
    ('"a ""b"""', [(Kind.QUOTED, '"a ""b"""')]),
    ("/* a /* b */ c */ x", [(Kind.COMMENT, "/* a /* b */ c */"), (Kind.NAME, "x")]),
    ("a--b\nc", [(Kind.NAME, "a"), (Kind.COMMENT, "--b"), (Kind.NAME, "c")]),
    ("$12::int", [(Kind.PARAM, "$12"), (Kind.OPERATOR, "::"), (Kind.NAME, "int")]),
    ("a@>b", [(Kind.NAME, "a"), (Kind.OPERATOR, "@>"), (Kind.NAME, "b")]),
    ("1.5e3x", [(Kind.NUMBER, "1.5e3"), (Kind.NAME, "x")]),
    ("'open", [(Kind.UNTERMINATED, "'open")]),
    ("/* open", [(Kind.UNTERMINATED, "/* open")]),
    ("$t$ open", [(Kind.UNTERMINATED, "$t$ open")]),
]
MYSQL = [
    (r"'\' x' y", [(Kind.STRING, r"'\' x'"), (Kind.NAME, "y")]),
    ('"text"', [(Kind.STRING, '"text"')]),
    ("`a``b`", [(Kind.QUOTED, "`a``b`")]),
    ("# note\na", [(Kind.COMMENT, "# note"), (Kind.NAME, "a")]),
    ("5--1", [(Kind.NUMBER, "5"), (Kind.OPERATOR, "-"), (Kind.OPERATOR, "-"), (Kind.NUMBER, "1")]),
    ("a->>?", [(Kind.NAME, "a"), (Kind.OPERATOR, "->>"), (Kind.PARAM, "?")]),
    ("/* a /* b */ c", [(Kind.COMMENT, "/* a /* b */"), (Kind.NAME, "c")]),
]


@pytest.mark.parametrize(("text", "expected"), POSTGRES)
def test_postgresql_text_is_cut_as_the_server_cuts_it(
    text: str, expected: list[tuple[Kind, str]]
) -> None:
    assert [(token.kind, token.text) for token in scan(text)] == expected


@pytest.mark.parametrize(("text", "expected"), MYSQL)
def test_mysql_text_is_cut_as_the_server_cuts_it(
    text: str, expected: list[tuple[Kind, str]]
) -> None:
    assert [(token.kind, token.text) for token in scan(text, Dialect.MYSQL)] == expected


@given(st.text(alphabet="ab1'\"`$@?#-/*;:=\\ \n()é"), st.sampled_from(Dialect))
def test_no_character_is_lost_and_only_blanks_are_left_out(text: str, dialect: Dialect) -> None:
    at = 0
    for token in scan(text, dialect):
        assert text[at : token.start].strip() == ""
        assert text[token.start : token.end] == token.text
        at = token.end
    assert text[at:].strip() == ""


STATEMENTS = [
    ("select 1; select ';' ;", ["select 1", "select ';'"]),
    ("-- only a comment;\n", []),
    (
        "create function f() returns int begin atomic select 1; select 2; end; select 3",
        ["create function f() returns int begin atomic select 1; select 2; end", "select 3"],
    ),
    (
        "create function f() returns int begin atomic select case when true then 1 end; end; x",
        ["create function f() returns int begin atomic select case when true then 1 end; end", "x"],
    ),
    (
        "create rule r as on insert to a do also (insert into b values (1); select 2); x",
        ["create rule r as on insert to a do also (insert into b values (1); select 2)", "x"],
    ),
    ("begin; select 1; end; select 2", ["begin", "select 1", "end", "select 2"]),
    ("do $$ begin; end $$; x", ["do $$ begin; end $$", "x"]),
]


@pytest.mark.parametrize(("text", "expected"), STATEMENTS)
def test_statements_end_where_the_server_ends_them(text: str, expected: list[str]) -> None:
    assert [text[span.start : span.end] for span in split_statements(text)] == expected


_LOOP = "CREATE PROCEDURE p() BEGIN FOR r IN (SELECT 1) DO SET @x = 1; END FOR; SET @y = 2; END"
_LOCKING = "CREATE PROCEDURE p() BEGIN SELECT CASE WHEN 1 THEN 2 END FOR UPDATE; SET @y = 2; END"


@pytest.mark.parametrize("routine", [_LOOP, _LOCKING])
def test_a_routine_ends_where_its_own_block_ends(routine: str) -> None:
    text = f"{routine}; SELECT 3"
    spans = split_statements(text, Dialect.MYSQL)
    assert [text[span.start : span.end] for span in spans] == [routine, "SELECT 3"]
