"""Find positions in a query file for the analyser's findings, which only name a table or column.

The proofs are in `aiosqlc/relational/advice.py`, and in the `advice.py` of each engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from aiosqlc.parse.scanner import Kind, unquote
from aiosqlc.source import Span
from aiosqlc.vet.queries import Finding, Text


def proved_findings(text: Text) -> Iterator[Finding]:
    """Yield the analyser's findings about a query, each at its place or at the query's name."""
    for code, name in text.query.advice:
        yield code, _PLACES[code](text, name.lower()) or text.query.parsed.name_span


def _names(text: Text) -> list[str]:
    named = {Kind.NAME, Kind.QUOTED}
    return [(unquote(t) if t.kind in named else t.text).lower() for t in text.tokens]


def _join(text: Text, name: str) -> Span | None:
    """Find `LEFT JOIN … name` before ON or USING, or `name RIGHT JOIN`."""
    for position, found in enumerate(_names(text)):
        following = text.words[position + 1 : position + 2]
        if found == name and following in (["ON"], ["USING"]):
            before = range(position - 1, -1, -1)
            start = next((p for p in before if text.words[p] == "LEFT"), None)
            return None if start is None else text.span(start, position)
        if found == name and following == ["RIGHT"]:
            return text.span(position, position + 1)
    return None


def _distinct(text: Text, _name: str) -> Span | None:
    for position, word in enumerate(text.words):
        if word == "DISTINCT" and text.words[position - 1] == "SELECT":
            return text.span(position)
    return None


def _count(text: Text, name: str) -> Span | None:
    """Find `count(name)` or `count(table.name)`."""
    names = _names(text)
    for position in range(len(names) - 3):
        if names[position : position + 2] == ["count", "("]:
            for last in (position + 2, position + 4):
                if names[last : last + 2] == [name, ")"]:
                    return text.span(position, last + 1)
    return None


_PLACES: dict[str, Callable[[Text, str], Span | None]] = {
    "V013": _join,
    "V014": _distinct,
    "V015": _count,
}
