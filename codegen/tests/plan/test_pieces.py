"""The texts of a dynamic query are split into pieces, which produce exactly the texts."""

from __future__ import annotations

import itertools

import pytest
from aiosqlc.emit.choices import NUMBERING, texts_by_choice
from aiosqlc.ir import Variant
from aiosqlc.plan.choice import with_pieces, without_blank_lines
from aiosqlc.plan.conditions import condition, option_condition
from aiosqlc.plan.model import PyChoice
from aiosqlc.plan.pieces import pieces_of
from aiosqlc.source import Dialect
from hypothesis import given
from hypothesis import strategies as st

NAMES = ("a", "b", "c", "d")
Key = tuple[bool | str, ...]
keys = st.integers(1, 4).flatmap(
    lambda size: st.sets(st.tuples(*[st.booleans()] * size), min_size=1).map(lambda s: (size, s))
)


@given(keys)
def test_a_condition_holds_for_its_keys_alone(found: tuple[int, set[tuple[bool, ...]]]) -> None:
    size, wanted = found
    names = NAMES[:size]
    text = condition(wanted, names) or "True"
    for key in itertools.product((True, False), repeat=size):
        assert eval(text, {}, dict(zip(names, key, strict=True))) == (key in wanted)


SIMPLE = [
    ({(True, True), (True, False)}, "a"),
    ({(False, True)}, "not a and b"),
    ({(True, True), (True, False), (False, True)}, "a or b"),
    ({(True, True), (False, False)}, "a and b or not a and not b"),
]


@pytest.mark.parametrize(("wanted", "text"), SIMPLE)
def test_a_condition_is_said_as_a_person_would(wanted: set[tuple[bool, ...]], text: str) -> None:
    assert condition(wanted, ("a", "b")) == text


def test_a_line_that_loses_its_first_neighbour_is_said_with_what_it_depends_on() -> None:
    texts: dict[Key, str] = {
        (True, True): "SELECT 1\nWHERE a\n  AND b",
        (True, False): "SELECT 1\nWHERE a",
        (False, True): "SELECT 1\nWHERE b",
        (False, False): "SELECT 1",
    }
    assert [(piece.parts, piece.condition) for piece in pieces_of(texts, ("a", "b"))] == [
        (("SELECT 1\n",), ""),
        (("WHERE a\n",), "a"),
        (("  AND b\n",), "a and b"),
        (("WHERE b\n",), "not a and b"),
    ]


lines = st.text("ab {}$12'\"\\\t%é\x07", max_size=9)
sorts = ("x", "x desc", 'lower("{y}")')


@st.composite
def choices(draw: st.DrawFn) -> PyChoice:
    """Return lines that are present or absent by their parts, and one that contains a sort key."""
    size = draw(st.integers(1, 3))
    pool = draw(st.lists(st.tuples(lines, st.integers(0, 2**size - 1)), min_size=1, max_size=6))
    sort_at = draw(st.none() | st.integers(0, len(pool) - 1))
    ranges: list[tuple[bool | str, ...]] = [(True, False)] * size
    texts = []
    for key in itertools.product(*ranges, *([sorts] if sort_at is not None else [])):
        on = sum(2**at for at in range(size) if key[at])
        found = [
            f"{line}, {key[-1]};" if at == sort_at else line
            for at, (line, needs) in enumerate(pool)
            if needs & on == needs
        ]
        texts.append((key, "\n".join(found)))
    names = (*NAMES[:size], *(["sort"] if sort_at is not None else []))
    return PyChoice((), tuple(texts), (), names)


@st.composite
def orders(draw: st.DrawFn) -> PyChoice:
    """Return lines that depend on switches and on a sort order, as in a page after a row."""
    size = draw(st.integers(1, 3))
    line = st.tuples(lines, st.integers(0, 2**size - 1), st.sets(st.sampled_from(sorts)))
    pool = draw(st.lists(line, min_size=1, max_size=6))
    ranges: list[tuple[bool | str, ...]] = [(True, False)] * size
    texts = []
    for key in itertools.product(*ranges, sorts):
        on = sum(2**at for at in range(size) if key[at])
        found = [text for text, needs, of in pool if needs & on == needs and key[-1] in of]
        texts.append((key, "\n".join(["SELECT", *found])))
    return PyChoice((), tuple(texts), (), (*NAMES[:size], "sort"))


@given(orders())
def test_lines_of_a_sort_order_are_printed_once(choice: PyChoice) -> None:
    pieced = with_pieces(choice)
    assert pieced.pieces
    made = eval(texts_by_choice(pieced), {})
    assert {key: text.rstrip("\n") for key, text in made.items()} == {
        key: text.rstrip("\n") for key, text in choice.texts
    }


def test_orders_with_the_same_lines_share_a_condition() -> None:
    every = frozenset(itertools.product((True, False), ("x", "y", "z")))
    chosen = {(True, "x"), (True, "y"), (True, "z"), (False, "z")}
    assert option_condition(chosen, every, ("a", "sort")) == (
        '(sort in ("x", "y") and a) or (sort == "z")'
    )
    assert option_condition(every, every, ("a", "sort")) == ""


@given(choices())
def test_what_is_printed_makes_every_text(choice: PyChoice) -> None:
    pieced = with_pieces(choice)
    made = eval(texts_by_choice(pieced), {})
    wanted = {key[0] if len(key) == 1 else key: text for key, text in choice.texts}
    assert {key: text.removesuffix("\n") for key, text in made.items()} == {
        key: text.removesuffix("\n") for key, text in wanted.items()
    }


def test_parameters_are_numbered_when_the_text_is_made() -> None:
    texts: dict[Key, str] = {
        (True, True): "SELECT $1\nWHERE a = $2\nAND b = $3\nLIMIT $4",
        (True, False): "SELECT $1\nWHERE a = $2\nLIMIT $3",
        (False, True): "SELECT $1\nAND b = $2\nLIMIT $3",
        (False, False): "SELECT $1\nLIMIT $2",
    }
    numbers = [(1, 2, 3, 4), (1, 2, 4), (1, 3, 4), (1, 4)]
    variants = [Variant((), texts[key], given) for key, given in zip(texts, numbers, strict=True)]
    choice = with_pieces(PyChoice((), tuple(texts.items()), (), ("a", "b")), variants)
    assert choice.numbered
    assert len(choice.pieces) == 4
    scope: dict[str, object] = {}
    exec(NUMBERING, scope)
    made = eval(texts_by_choice(choice), scope)
    assert made == {key: f"{text}\n" for key, text in texts.items()}


def test_a_dollar_in_a_string_is_no_parameter_so_the_texts_are_written_out() -> None:
    texts: dict[Key, str] = {(True,): "SELECT '$9', $1\n, $2", (False,): "SELECT '$9', $1"}
    variants = [Variant((), texts[(True,)], (1, 2)), Variant((), texts[(False,)], (2,))]
    choice = with_pieces(PyChoice((), tuple(texts.items()), (), ("a",)), variants)
    assert not choice.pieces
    assert eval(texts_by_choice(choice)) == {
        True: "SELECT '$9', $1\n, $2\n",
        False: "SELECT '$9', $1",
    }


GAPS = [
    (Dialect.POSTGRESQL, "SELECT 1\n\n  \nFROM t", "SELECT 1\nFROM t"),
    (Dialect.POSTGRESQL, "SELECT 'a\n\nb'\n\nFROM t", "SELECT 'a\n\nb'\n\nFROM t"),
    (
        Dialect.MYSQL,
        "SELECT '\\''\n\nFROM t WHERE a = '#'",
        "SELECT '\\''\nFROM t WHERE a = '#'",
    ),
    (Dialect.MYSQL, "SELECT `a\n\nb`\n\nFROM t", "SELECT `a\n\nb`\n\nFROM t"),
]


@pytest.mark.parametrize(("dialect", "sql", "closed"), GAPS)
def test_gaps_are_closed_but_not_inside_strings(dialect: Dialect, sql: str, closed: str) -> None:
    assert without_blank_lines(sql, dialect) == closed
