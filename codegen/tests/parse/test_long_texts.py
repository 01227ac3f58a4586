"""The work for a long text is proportional to its length, because editors compile each edit."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path
from types import FrameType, SimpleNamespace
from typing import Any, cast

import pytest
from aiosqlc.layout.queries import tidy
from aiosqlc.layout.statement import LayoutStyle, lay_out
from aiosqlc.lsp.completion import complete
from aiosqlc.lsp.known import Entry
from aiosqlc.messages.render import render_all
from aiosqlc.mysql.executable import MARIADB, as_read
from aiosqlc.parse.placeholders import find
from aiosqlc.parse.queries import parse_file
from aiosqlc.parse.scanner import scan
from aiosqlc.schema.read import schema_file
from aiosqlc.source import Dialect, SourceFile

from tests.conftest import Full

LONG = 100_000
_numbers = count()


def _file(text: str) -> SourceFile:
    return SourceFile(Path(f"long{next(_numbers)}.sql"), text)  # a file seen before is not parsed


def _parse(text: str, dialect: Dialect) -> str:
    _, problems = parse_file(_file(text), dialect)
    return render_all(problems)


NAMED = "-- name: A :exec\nUPDATE t SET a = 1 WHERE "
STARTS = (NAMED, "", "-- name: A :many\nSELECT ", "((((" * 100 + "select ")
# A pattern that tries blanks twice takes minutes for these, one that tries them thrice weeks.
BLANKS = [
    *(f"SELECT 1{sign * LONG}" for sign in (" ", "\n", "\t", "\r\n")),
    f"-- name{' ' * LONG}.\nSELECT 1;",
    f"-- name:{' ' * LONG}.\nSELECT 1;",
    f"---{' ' * LONG}name{' ' * LONG}.\nSELECT 1;",
    f"COPY t FROM stdin{' FROM stdin;' * (LONG // 12)} x\n",
    pytest.param(f"COPY t FROM stdin{' FROM stdin;' * LONG} x\n", marks=pytest.mark.long),
]


@pytest.mark.parametrize("text", BLANKS, ids=range(len(BLANKS)))
@pytest.mark.parametrize("dialect", Dialect)
def test_blanks_are_read_once(text: str, dialect: Dialect) -> None:
    assert len(list(scan(text, dialect))) < len(text)
    assert _parse(text, dialect)
    assert schema_file(_file(text), dialect).sql


@pytest.mark.parametrize("sign", ["a", "-", "--", '"', "@", "a ", "a.", " "])
def test_an_editor_asks_about_the_end_of_a_long_line(sign: str) -> None:
    file = _file("SELECT " + sign * LONG)
    entry = Entry(cast("Any", SimpleNamespace(engine=Dialect.POSTGRESQL)))
    assert complete(file, entry, len(file.text)) is not None


def test_an_executable_comment_is_not_looked_for_to_the_end_at_each_opening() -> None:
    text = "/*!" * LONG + "*/"
    assert len(list(scan(text, Dialect.MYSQL))) == LONG + 1


def _steps(work: Callable[[], object]) -> int:
    """Return how many lines of Python a piece of work runs, instead of its time."""
    steps = 0

    def trace(_frame: FrameType, _event: str, _argument: object) -> object:
        nonlocal steps
        steps += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)  # type: ignore[arg-type]  # it returns itself
    try:
        work()
    finally:
        sys.settrace(before)
    return steps


def _read(text: str) -> None:
    as_read(text, MARIADB)
    find(text)


WORK: dict[str, Callable[[str], object]] = {
    "postgresql": lambda text: _parse(text, Dialect.POSTGRESQL),
    "mysql": lambda text: _parse(text, Dialect.MYSQL),
    "as a server reads it": _read,
}
UNITS = [
    *(
        "'",
        '"',
        "$",
        "$a",
        "$1, ",
        "/*",
        "*/",
        "(",
        ")",
        "()",
        "-",
        "--\n",
        "/*! x */ ",
        "\\",
        "?, ",
    ),
    *("@", "@a, ", "`", ";", ":: ", "[", "#\n", "order by $1, ", "order by @a ", "sqlc.arg(a), "),
    *(
        "sqlc.nope(a) ",
        "sqlc.slice(a), ",
        "table t, ",
        "'$1' $1 ",
        "/*!99999 x */",
        "case ",
        "begin ",
    ),
    *("a = @a -- :if a\n", "a = @a, -- :set a\n", "a -- :sort a, b\n", "a -- :nope\n"),
    *("-- :if a\nx\n-- :end\n", "-- :if a\n", "-- a\n", "\n-- a: b\n"),
]


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("what", WORK)
def test_four_times_the_text_is_four_times_the_work(what: str, unit: str, full: Full) -> None:
    work = WORK[what]
    for start in STARTS[: full(len(STARTS), sample=1)]:
        work(start + unit)  # what is made once is not counted
        short, long = (_steps(partial(work, start + unit * n)) for n in (50, 200))
        assert long <= 5 * short


@pytest.mark.parametrize("style", LayoutStyle)
def test_brackets_in_brackets_are_laid_out_in_linear_time(style: LayoutStyle) -> None:
    def work(depth: int) -> object:
        sql = f"SELECT {'(' * depth}1{')' * depth}"
        return lay_out(sql, Dialect.POSTGRESQL, style)

    work(1)
    short, long = (_steps(partial(work, depth)) for depth in (100, 400))
    assert long <= 5 * short


@pytest.mark.parametrize("behind", [";{}-- name: B :exec\nDELETE FROM t;\n", "{};\n", "{}"])
def test_blanks_are_tidied_in_linear_time(behind: str) -> None:
    def seconds(blanks: int) -> float:  # a pattern's steps are not Python's: the least of five
        text = f"{NAMED}true{behind.format(' ' * blanks)}"
        spent = []
        for _ in range(5):
            file, started = _file(text), time.process_time()
            assert tidy(file, Dialect.POSTGRESQL, LayoutStyle.HOUSE)
            spent.append(time.process_time() - started)
        return min(spent)

    assert seconds(20_000) <= 8 * seconds(5_000)  # of the square it is 16
