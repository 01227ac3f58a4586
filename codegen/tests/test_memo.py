"""A value cached between compilations is returned only for the same input."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from aiosqlc.cli.watching import tidy_up
from aiosqlc.ir import (
    Cardinality,
    Column,
    ColumnRef,
    Command,
    Constraint,
    Embed,
    Hint,
    Lookup,
    Nesting,
    OptionalPart,
    Paging,
    Param,
    ParsedQuery,
    Sent,
    SqlType,
    TypedBatch,
    TypedEmbed,
    TypedParam,
    TypedQuery,
    Variant,
)
from aiosqlc.source import SourceFile, SourceMap, Span
from aiosqlc.store import memo as module
from aiosqlc.store.digest import digest_of
from aiosqlc.store.memo import memo, memo_by
from msgspec import Struct
from msgspec.structs import fields, replace


def test_an_equal_question_is_asked_once_whoever_holds_it() -> None:
    asked: list[object] = []

    @memo
    def length(of: Sequence[int]) -> int:
        asked.append(of)
        return len(of)

    assert [length((1, 2)), length((*[1], 2)), length((1, 2, 3))] == [2, 2, 3]
    assert asked == [(1, 2), (1, 2, 3)]


class Value(Struct, frozen=True):
    names: tuple[str, ...]
    inner: Value | None = None
    where: Path = Path("a")


def test_a_digest_is_of_what_values_say_and_of_all_of_it() -> None:
    values = [
        Value(("a", "b")),
        Value(("ab",)),
        Value(("a",), Value(("b",))),
        Value(("a", "b"), where=Path("b")),
        Value(("a", "b"), Value(())),
    ]
    again = [replace(value) for value in values]
    assert [digest_of(value) for value in values] == [digest_of(value) for value in again]
    assert len({digest_of(value) for value in values}) == len(values)
    assert digest_of("a", "b") != digest_of("ab")


QUERY = ParsedQuery(
    SourceFile(Path("q.sql"), "text"),
    "Q",
    Command.ONE,
    "SELECT $1",
    SourceMap(),
    Span(0, 1),
    Span(2, 3),
)
TYPED = TypedQuery(QUERY, "SELECT $1", (), (), Cardinality.ONE)
MOVED = {
    "file": SourceFile(Path("q.sql"), "-- more text"),
    "name_span": Span(7, 8),
    "span": Span(8, 9),
}


def test_a_query_that_only_moves_in_its_file_is_the_same() -> None:
    moved = replace(QUERY, **MOVED)
    assert moved.question == QUERY.question
    assert replace(TYPED, parsed=moved).digest == TYPED.digest


# What neither what is asked nor what is made of a query depends on.
PLACES = {"file", "source_map", "name_span", "span", "heading", "ignores"}
OTHER = {
    "name": "R", "command": Command.MANY, "sql": "SELECT 1", "doc": ("a",), "comments": ("a",),
    "params": (Param(1, "a", ()),), "embeds": (Embed("t", Span(0, 1), 3),),
    "hints": (Hint("a", Span(0, 1), "int"),), "dynamic": (OptionalPart("if", "a", Span(0, 1)),),
    "variants": (Variant((1,), "SELECT 2", ()),), "options": (("bulk", ""),),
    "paging": Paging(1, None, 2),
    "columns": (Column("a", SqlType("pg_catalog", "int4"), not_null=True),),
    "cardinality": Cardinality.MANY, "insert_into": ColumnRef("s", "t", ""), "writes": ("t",),
    "violable": (Constraint("s", "t", "c", "unique"),), "unproved_reading": "",
    "session_clean": False,
    "cardinality_reasons": ("why",), "advice": (("V1", "a"),), "leaks": ("why",),
    "lookup": Lookup((1,)),
    "batch": TypedBatch(
        "SELECT 2", 1, TypedParam(1, "a", SqlType("pg_catalog", "int4"), not_null=True),
        Column("a", SqlType("pg_catalog", "int4"), not_null=True),
    ),
    "nesting": Nesting(()), "sends": (Sent("a"),),
}  # fmt: skip
_TYPED_ALIKE = {
    "params": (TypedParam(1, "a", SqlType("pg_catalog", "int4"), not_null=True),),
    "embeds": (TypedEmbed("t", 0, 1, ColumnRef("s", "t", ""), nullable=False),),
}


@pytest.mark.parametrize("name", [f.name for f in fields(ParsedQuery) if f.name not in PLACES])
def test_whatever_else_differs_in_a_parsed_query_makes_another_digest(name: str) -> None:
    other = replace(QUERY, **{name: OTHER[name]})
    assert replace(TYPED, parsed=other).digest != TYPED.digest
    assert (other.question != QUERY.question) == (name not in {"doc", "comments"})


@pytest.mark.parametrize("name", [f.name for f in fields(TypedQuery) if f.name != "parsed"])
def test_whatever_differs_in_a_typed_query_makes_another_digest(name: str) -> None:
    assert replace(TYPED, **{name: (OTHER | _TYPED_ALIKE)[name]}).digest != TYPED.digest


def test_a_query_at_another_place_is_hashed_again_only_where_more_than_its_place_differs() -> None:
    further = QUERY.placed(span=Span(900, 950), source_map=SourceMap(((0, 900, True),)))
    assert further == replace(QUERY, span=further.span, source_map=further.source_map)
    before = TYPED.digest
    assert vars(TYPED.placed(further))["digest"] == before
    assert TYPED.placed(further) == replace(TYPED, parsed=further)
    for name in ("doc", "comments", "dynamic"):
        other = replace(QUERY, **{name: OTHER[name]})
        assert TYPED.placed(other).digest == replace(TYPED, parsed=other).digest != before


def test_strings_are_compared_by_what_they_say() -> None:
    asked = 0

    @memo
    def count(_: str) -> int:
        nonlocal asked
        asked += 1
        return asked

    half = "a" * 400
    assert count(half + "b") == count(half + "b") == 1
    assert count("c") == 2


def test_what_nobody_asks_for_is_forgotten_and_never_mistaken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_MOST", 3)

    @memo
    def first(of: tuple[int, ...]) -> int:
        return of[0]

    assert [first((number,)) for number in range(50)] == list(range(50))


def test_a_text_that_watching_does_not_meet_any_more_is_forgotten() -> None:
    @memo
    def length(of: str) -> int:
        return len(of)

    length("gone")
    for rounds in range(120):
        length("stays")
        tidy_up(rounds)
    assert length.known("stays")
    assert not length.known("gone")


def test_the_key_of_a_learned_result_is_computed_when_one_is_looked_up() -> None:
    asked: list[str] = []

    def key(of: str) -> str:
        asked.append(of)
        return of

    @memo_by(key)
    def length(of: str) -> int:
        return len(of)

    assert length.known("one") is None
    length.learn(length.compute("one"), "one")
    assert asked == []
    assert length.known("one") == (3,)
    assert asked == ["one", "one"]
