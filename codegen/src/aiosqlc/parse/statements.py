"""Split a query file at its semicolons. Unchanged statements keep their previous parse result."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from aiosqlc.diagnostics import Diagnostic
from aiosqlc.ir import ParsedQuery
from aiosqlc.parse.dynamic import directive_behind
from aiosqlc.parse.moved import moved
from aiosqlc.parse.scanner import MARKS, Kind, Token, scan
from aiosqlc.source import Dialect, SourceFile
from aiosqlc.store.processes import shares, spread

_LONG = 100_000  # fewest characters for which a process pays off
Parsed = tuple[tuple[ParsedQuery, ...], list[Diagnostic]]


class Statement(Struct, frozen=True):
    """The text of a statement with its semicolon, or the file's text after the last semicolon.

    `queries` are the channels that the statement's comments declare, and the named query, if the
    statement is one.
    """

    start: int
    end: int
    queries: tuple[ParsedQuery, ...]
    problems: tuple[Diagnostic, ...]
    closed: bool

    @property
    def query(self) -> ParsedQuery | None:
        """Return the query that the statement defines, or None."""
        return next((query for query in self.queries if not query.channel), None)


def statements_of(
    file: SourceFile, dialect: Dialect, parse: Callable[[SourceFile, list[Token], Dialect], Parsed]
) -> tuple[Statement, ...]:
    """Split a file into statements; parse each statement, and the text after the last statement."""
    before = _Before(_last_seen(file.path, dialect, parse), file)
    found: list[Statement] = []
    at = 0
    while at < len(file.text):
        statement = before.at(at) or _next(file, at, dialect, parse)
        if statement is None:
            break
        found.append(statement)
        at = statement.end
    before.seen.text, before.seen.statements = file.text, tuple(found)
    return before.seen.statements


def parse_ahead(
    files: Iterable[SourceFile],
    dialect: Dialect,
    parse: Callable[[SourceFile, list[Token], Dialect], Parsed],
    meanwhile: Callable[[], object] | None = None,
) -> None:
    """Parse long new files on all cores, before other steps need the results.

    `statements_of` then finds their cached results. `meanwhile` is called while other processes
    parse.
    """
    new = [file for file in files if not _last_seen(file.path, dialect, parse).text]
    if sum(len(file.text) for file in new) < _LONG:
        if meanwhile:
            meanwhile()
        return

    def each(run: Sequence[SourceFile]) -> list[tuple[Statement, ...]]:
        return [statements_of(file, dialect, parse) for file in run]

    runs = shares(new, 1)
    for run, found in zip(runs, spread(each, lambda: each, runs, meanwhile), strict=True):
        for file, statements in zip(run, found, strict=True):
            seen = _last_seen(file.path, dialect, parse)
            seen.text, seen.statements = file.text, statements


def _next(
    file: SourceFile,
    start: int,
    dialect: Dialect,
    parse: Callable[[SourceFile, list[Token], Dialect], Parsed],
) -> Statement | None:
    tokens: list[Token] = []
    opened = False
    for token in scan(file.text, dialect, start):
        if token.kind in MARKS:
            opened = token.kind is Kind.OPENING
        if token.text == ";" and token.kind is Kind.PUNCTUATION and not opened:
            end = token.end
            if (behind := directive_behind(file.text, end)) is not None:
                tokens.append(behind)
                end = behind.end
            queries, problems = parse(file, tokens, dialect)
            return Statement(start, end, queries, tuple(problems), closed=True)
        tokens.append(token)
    if not tokens:
        return None
    queries, problems = parse(file, tokens, dialect)
    return Statement(start, len(file.text), queries, tuple(problems), closed=False)


class _Seen(Struct):
    """A file with its last parse result."""

    text: str = ""
    statements: tuple[Statement, ...] = ()


@lru_cache(maxsize=2048)
def _last_seen(_path: Path, _dialect: Dialect, _parse: object) -> _Seen:
    return _Seen()


class _Before:
    """Finds a file's statements that only moved since the previous version of the file.

    A statement depends only on its own text, because the scanner starts again after a semicolon.
    The first statement is an exception: no statement precedes it.
    """

    def __init__(self, seen: _Seen, file: SourceFile) -> None:
        self.seen = seen
        self._file = file
        self._by = len(file.text) - len(seen.text)
        self._prefix = _common(seen.text, file.text)
        self._suffix = len(file.text) - _common(seen.text[::-1], file.text[::-1])
        self._known = {item.start: item for item in seen.statements if not item.problems}

    def at(self, start: int) -> Statement | None:
        """Return the known statement that starts at an offset of the new text, or None."""
        known = self._known.get(start)
        if known and known.closed and known.end <= self._prefix:
            return self._moved(known, 0)
        known = self._known.get(start - self._by)
        if known and known.start and start and start >= self._suffix:
            return self._moved(known, self._by)
        return None

    def _moved(self, known: Statement, by: int) -> Statement:
        if not by and known.queries and known.queries[0].file is self._file:
            return known
        queries = tuple([moved(query, self._file, by) for query in known.queries])
        return replace(known, start=known.start + by, end=known.end + by, queries=queries)


def _common(one: str, other: str) -> int:
    """Return the length of the longest common prefix of two texts."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
