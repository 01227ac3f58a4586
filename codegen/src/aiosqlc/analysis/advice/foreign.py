"""Hints for syntax of other databases, drivers or templates."""

from __future__ import annotations

import re
from typing import Final

from aiosqlc.analysis.advice.place import Place
from aiosqlc.parse.scanner import LEXES
from aiosqlc.source import Dialect

_LOOKBACK = 12  # characters of a marker before the position that the server reports
# A parameter in the syntax of drivers, templates and other tools. Group 1 or 2 is its name.
_MARKERS: Final = re.compile(
    r"%\((\w+)\)s|%[sd]\b|(?<![:\w]):(\w+)|[#$]?\{\{?\s*([A-Za-z_]\w*)\s*\}?\}|@\{(\w+)\}|\$\{(\w+)\}|#(\w+)#|<([A-Za-z]\w*)>"
)
_PARAMETER = {Dialect.POSTGRESQL: "`@{}`", Dialect.MYSQL: "`sqlc.arg({})` or `?`"}

_LIST = {Dialect.POSTGRESQL: "`= ANY(@{})`", Dialect.MYSQL: "`IN (sqlc.slice({}))`"}
_NUMBERED = {Dialect.POSTGRESQL: "`${}`", Dialect.MYSQL: "`?`"}


def foreign_advice(place: Place) -> str:
    """Suggest the engine's equivalent of another database's syntax; return '' if none is known."""
    return _parameter(place) or _comment(place) or _anyones(place)


def parameter(name: str, dialect: Dialect) -> str:
    """Return a query parameter in the syntax of the engine, in backticks."""
    return _PARAMETER[dialect].format(name)


def _parameter(place: Place) -> str:
    token = place.token() or place.token(-1)
    if token is None:
        return ""
    first = max(place.text.rfind("\n", 0, token.start) + 1, token.start - _LOOKBACK)
    for marker in _MARKERS.finditer(place.text, first):
        if marker.start() > token.start:
            break
        if marker.end() > token.start:
            name = next(filter(None, marker.groups()), "name")
            if place.tokens and _after_in(place, marker.start()):
                return f"write the list as {_LIST[place.dialect].format(name)}"
            if name.isdigit():
                return f"write the parameter as {_NUMBERED[place.dialect].format(name)}"
            return f"write the parameter as {parameter(name, place.dialect)}"
    if not LEXES[place.dialect].names_by_at:
        return ""
    if token.text == "?" or place.said(-1) == "?":
        return (
            f"write the parameter as {parameter('name', place.dialect)}; PostgreSQL does not "
            "accept `?`"
        )
    follower = place.token(1)
    apart = follower is None or follower.start > token.end
    if (token.text.endswith("@") and apart) or place.said(-1) == "@":
        return "write the name of the parameter directly after the `@`, without a space"
    return ""


def _array(place: Place) -> str:
    """Suggest a correction for `[1, 2]` as an array, and for a subscript after `]` or `)`."""
    if place.word(-1) in {"]", ")"}:
        return "put parentheses around the array before a subscript: `(ARRAY[1, 2])[1]`"
    if not place.is_name(1) or place.word(2) != "]":
        return "write the array as `ARRAY[1, 2]`"
    return ""


def _after_in(place: Place, start: int) -> bool:
    """Return whether a parameter follows IN without parentheses."""
    before = [token.text.upper() for token in place.tokens if token.end <= start]
    return before[-1:] == ["IN"]


def _comment(place: Place) -> str:
    text = place.said()
    if text.startswith("#") and place.token() is not None:
        return "begin the comment with `--`; PostgreSQL does not accept `#` comments"
    if text.startswith("//") or (text == "/" and place.said(1) == "/"):
        return "begin the comment with `--`; SQL does not have `//` comments"
    if text == "--" or (text == "-" and place.said(1) == "-"):
        return "write a space after the `--` of a comment"
    return ""


def _anyones(place: Place) -> str:
    """Return the SQL form of syntax that neither PostgreSQL nor MySQL accepts."""
    word, before = place.word(), place.word(-1)
    if before == "TOP" or word == "TOP":
        count = place.said() if before == "TOP" else place.said(1)
        return f"write `LIMIT {count}` at the end of the query"
    if "MINUS" in {word, before} and place.is_name(-1 if before == "MINUS" else 0):
        return "write `EXCEPT`; `MINUS` is Oracle's"
    if word == "OUTER" and before not in {"LEFT", "RIGHT", "FULL"}:
        return "specify which table is optional: write `LEFT JOIN` or `RIGHT JOIN`"
    if word == "USING" and "JOIN" not in place.clauses:
        return "`USING` is only valid after a JOIN: write `a JOIN b USING (…)`"
    if word == "[" and LEXES[place.dialect].has_arrays and (said := _array(place)):
        return said
    if word == "[" and place.word(2) == "]":
        name = place.said(1)
        inside = name.join(LEXES[place.dialect].quotes)
        array = f"; an array is `ARRAY[{name}]`" if LEXES[place.dialect].has_arrays else ""
        return (
            f"remove the brackets (SQL Server syntax): write `{name}`, or `{inside}` if the word "
            f"is reserved{array}"
        )
    if word == "=>" or (word == "=" and place.word(1) == ">"):
        return "write `>=`"
    if place.word(-1) == "=" and word in {"<", "!"}:
        return f"write `{'!=' if word == '!' else '<='}`"
    return ""
