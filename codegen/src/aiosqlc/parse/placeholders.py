"""Replace `$n` in a query's text by `?` for the server or `%s` for the driver."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from msgspec import Struct

from aiosqlc.parse.scanner import code_tokens
from aiosqlc.source import Dialect

_NUMBERED = re.compile(r"\$(\d+)")


class Place(Struct, frozen=True):
    """An occurrence of a parameter: `number` in the query, `start` and `end` in the text."""

    number: int
    start: int
    end: int


class Filled(Struct, frozen=True):
    """A query's text with the placeholders `?` or `%s` instead of `$n`.

    `places` lists the parameters of the original text, in order.
    """

    sql: str
    places: tuple[Place, ...]
    pieces: tuple[tuple[int, int, int], ...]

    def to_original(self, offset: int) -> int:
        """Return the offset in the original text for an offset in this text."""
        for out, src, length in reversed(self.pieces):
            if offset >= out:
                return src + min(offset - out, length)
        return offset


@lru_cache(maxsize=16)  # each stage reads the places of the current query
def find(sql: str) -> tuple[Place, ...]:
    """Find every `$n` outside strings, quoted names and comments."""
    if "$" not in sql:
        return ()
    places = []
    marks = {token.start for token in code_tokens(sql, Dialect.MYSQL) if token.text == "$"}
    for match in _NUMBERED.finditer(sql):
        named = match.start() > 0 and (
            sql[match.start() - 1].isalnum() or sql[match.start() - 1] in "_$@"
        )
        if match.start() in marks and not named:
            places.append(Place(int(match[1]), match.start(), match.end()))
    return tuple(places)


def fill(sql: str, text_of: Callable[[int, Place], str]) -> Filled:
    """Replace each parameter by the result of `text_of(index, place)`."""
    places = find(sql)
    out: list[str] = []
    pieces: list[tuple[int, int, int]] = []
    at = length = 0
    for index, place in enumerate(places):
        copied = sql[at : place.start]
        pieces.append((length, at, len(copied)))
        text = text_of(index, place)
        pieces.append((length + len(copied), place.start, 0))
        out += [copied, text]
        length += len(copied) + len(text)
        at = place.end
    pieces.append((length, at, len(sql) - at))
    return Filled("".join([*out, sql[at:]]), places, tuple(pieces))


def for_server(sql: str) -> Filled:
    """Return the text to prepare on the server, with `?` for each parameter."""
    return fill(sql, lambda _index, _place: "?")


def for_driver(sql: str) -> tuple[str, tuple[int, ...]]:
    """Return the text that aiomysql formats, and the number of the parameter for each `%s`.

    A `%` in the query is doubled, because formatting turns `%%` into `%`.
    """
    filled = fill(sql.replace("%", "%%"), lambda _index, _place: "%s")
    return filled.sql, tuple(place.number for place in filled.places)
