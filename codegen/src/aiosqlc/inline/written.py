"""Map the characters of a string literal's value to their positions in the Python code."""

from __future__ import annotations

import re
from bisect import bisect_right

from msgspec import Struct

from aiosqlc.source import SourceMap, Span

# What may stand between the strings of one literal: blanks, comments, continued lines.
_GAP = re.compile(r"(?:[\s\\]|#[^\n]*)*")
_OPENING = re.compile(r"(?P<prefix>[rRuU]?)(?P<quote>\"{3}|'{3}|\"|')")
_ESCAPE = re.compile(
    r"\\(?:(?P<nothing>\n)|[0-7]{1,3}|x..|u.{4}|U.{8}|N\{[^}]*\}|[\\'\"abfnrtv]|(?P<kept>.))",
    re.DOTALL,
)


class Written(Struct, frozen=True):
    """A parsed string literal: `places` maps offsets in its value to offsets in the code.

    `length` is the length of the value. `end` is the offset of the literal's end in the code.
    """

    places: SourceMap
    length: int
    end: int


def written(source: str, start: int) -> Written | None:
    """Parse the string literal at an offset, which may consist of adjacent strings.

    Return None if a string is not closed.
    """
    pieces: list[tuple[int, int, bool]] = []
    out, at, end = 0, start, -1
    while opening := _OPENING.match(source, at):
        at = opening.end()
        pieces.append((out, at, True))
        marks = re.compile(rf"\\|{opening['quote']}")
        while mark := marks.search(source, at):
            out += mark.start() - at
            at = end = mark.end()
            if mark[0] != "\\":
                break
            escape = _ESCAPE.match(source, mark.start())
            if escape is None:
                return None
            if opening["prefix"] in {"r", "R"} or escape["kept"]:
                at = mark.start() + 2  # the backslash is a part of the value
                out += 2
                continue
            at = escape.end()
            if not escape["nothing"]:
                pieces.append((out, mark.start(), False))
                out += 1
            pieces.append((out, at, True))
        else:
            return None
        gap = _GAP.match(source, end)
        at = gap.end() if gap else end
    return Written(SourceMap(tuple(pieces)), out, end) if pieces else None


def place(places: SourceMap, span: Span) -> Span:
    """Return the code's span for a span of the value; an escape is included as a whole."""
    start = places.to_source(span.start)
    if span.end <= span.start:
        return Span(start, start)
    pieces = places.pieces
    at = bisect_right(pieces, span.end - 1, key=lambda piece: piece[0]) - 1
    end = places.to_source(span.end - 1) + 1 if pieces[at][2] else pieces[at + 1][1]
    return Span(start, max(start, end))


def offset_in_value(places: SourceMap, length: int, at: int) -> int | None:
    """Return the offset in a value for an offset in the code, or None if it is outside the value.

    `length` is the number of characters in the value.
    """
    pieces = places.pieces
    number = bisect_right(pieces, at, key=lambda piece: piece[1]) - 1
    if number < 0 or at > places.to_source(length):
        return None
    out, start, copied = pieces[number]
    end = pieces[number + 1][0] if number + 1 < len(pieces) else length
    return min(out + (at - start if copied else 0), end)


def is_plain(places: SourceMap, span: Span) -> bool:
    """Return whether a span of the value is in one string of the code, without an escape."""
    pieces = places.pieces
    first = bisect_right(pieces, span.start, key=lambda piece: piece[0]) - 1
    last = bisect_right(pieces, max(span.end - 1, span.start), key=lambda piece: piece[0]) - 1
    return first == last and pieces[first][2]
