"""Find the objects that a PL/pgSQL body uses, from its words, because it has no parse tree.

The result contains whole tables, and may contain too many: each table that the body mentions counts
as read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import pairwise

from msgspec import Struct

from aiosqlc.parse.scanner import Kind, Token, scan, unquote

_NOISE = frozenset({"ONLY"})


class Touched(Struct, frozen=True):
    """The objects that a PL/pgSQL body uses.

    `tables` contains pairs of a privilege and a table. `called` contains the names before a `(`.
    `at_run_time` means that the body builds statements at run time.
    """

    tables: frozenset[tuple[str, str]]
    called: frozenset[str]
    at_run_time: bool


def touched(body: str, tables: Collection[str]) -> Touched:
    """Return the objects that a PL/pgSQL body uses. A word in `tables` counts as a table."""
    tokens = [token for token in scan(body) if token.kind is not Kind.COMMENT]
    words = [token.text.upper() if token.kind is Kind.NAME else "" for token in tokens]
    locks = any(
        word == "FOR" and set(words[place + 1 : place + 4]) & {"UPDATE", "SHARE"}
        for place, word in enumerate(words)
    )
    found = {
        (privilege, name)
        for place, name in _names(tokens, tables)
        for privilege in _privileges(words, _first(tokens, place), locks=locks)
    }
    called = {
        unquote(token).lower()
        for token, after in pairwise(tokens)
        if token.kind in (Kind.NAME, Kind.QUOTED) and after.text == "("
    }
    at_run_time = any(
        word == "EXECUTE" and "PROCEDURE" not in words[place + 1 : place + 2]
        for place, word in enumerate(words)
    )
    return Touched(frozenset(found), frozenset(called), at_run_time)


def _names(tokens: list[Token], tables: Collection[str]) -> Iterator[tuple[int, str]]:
    for place, token in enumerate(tokens):
        if token.kind in (Kind.NAME, Kind.QUOTED):
            name = unquote(token).lower() if token.kind is Kind.NAME else unquote(token)
            if name in tables:
                yield place, name


def _first(tokens: list[Token], place: int) -> int:
    """Return the index of a name's first token, which is its schema if the name includes one."""
    return place - 2 if place > 1 and tokens[place - 1].text == "." else place


def _privileges(words: list[str], place: int, *, locks: bool) -> tuple[str, ...]:
    before = [word for word in words[max(0, place - 4) : place] if word not in _NOISE]
    last, two = before[-1:], before[-2:]
    if two in (["INSERT", "INTO"], ["MERGE", "INTO"]):
        rest = words[place : _end(words, place)]
        also = [word for word in ("UPDATE", "DELETE") if word in rest]
        read = ["SELECT"] if {"CONFLICT", "RETURNING", "USING"} & set(rest) else []
        return ("INSERT", *also, *read)
    if two == ["DELETE", "FROM"]:
        return ("DELETE", "SELECT")
    if last == ["UPDATE"]:
        return ("UPDATE", "SELECT")
    if last == ["TRUNCATE"] or two == ["TRUNCATE", "TABLE"]:
        return ("TRUNCATE",)
    return ("SELECT", "UPDATE") if locks else ("SELECT",)


def _end(words: list[str], place: int) -> int:
    """Return the position of the keyword that starts the next statement."""
    starts = {"UPDATE", "DELETE", "INSERT", "RETURN", "END", "PERFORM", "IF"}
    for at in range(place + 1, len(words)):
        if words[at] in starts and words[at - 1] not in {"DO", "THEN"}:
            return at
    return len(words)
