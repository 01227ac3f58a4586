"""Find optional conditions for which the compiler need not check every combination.

Such a condition is joined by AND in the WHERE of the outermost statement, and no other text uses
its parameters. A query with some of these conditions returns a subset of the rows that it returns
without any of them, and a superset of the rows that it returns with all of them. Therefore a
guarantee holds in every combination if it holds without any of them, with each alone and with all:

- The server accepts a combination because it accepts each condition beside the same tables. The
  types of parameters do not depend on other conditions, since these do not use the parameters.
- A column that is never NULL in the result without the conditions is never NULL in a subset of it.
  If that result has at most one row, each subset has at most one row.
- If the result with all conditions has at least one row, each larger result has at least one row.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from itertools import pairwise

from aiosqlc.parse.dynamic import Part
from aiosqlc.parse.macros import Use
from aiosqlc.parse.scanner import Kind, Token
from aiosqlc.source import Span

_STATEMENTS = frozenset({"SELECT", "WITH", "UPDATE", "DELETE"})
_AFTER_WHERE = frozenset(
    {
        *("GROUP", "HAVING", "WINDOW", "ORDER", "LIMIT", "OFFSET", "FETCH", "FOR", "RETURNING"),
        *("LOCK", "INTO", "QUALIFY"),
    }
)
_SETS = frozenset({"UNION", "INTERSECT", "EXCEPT", "MINUS"})


def independent_parts(
    body: Sequence[Token], uses: Sequence[Use], parts: Sequence[Part], looser: AbstractSet[str]
) -> tuple[frozenset[int], Span | None]:
    """Return the indexes of the independent conditions, and the span from WHERE to the first one.

    The span is None if the first condition of WHERE is not independent. `looser` are the
    operators that bind more loosely than AND.
    """
    conditions, where = _conditions(body, looser)
    if where is None:
        return frozenset(), None
    found = frozenset(
        at
        for at, part in enumerate(parts)
        if part.kind == "if"
        and all(_holds_conditions(region, conditions) for region in part.regions)
        and not _shares(part, uses)
        and not any(other is not part and _overlap(part, other) for other in parts)
    )
    first = conditions[0][0]
    if not any(region.start == first for at in found for region in parts[at].regions):
        return found, None
    return found, Span(where.end, first)


def _conditions(
    body: Sequence[Token], looser: AbstractSet[str]
) -> tuple[list[tuple[int, int]], Token | None]:
    """Return the spans of the outermost WHERE's conditions; a span includes the AND before it."""
    nothing: tuple[list[tuple[int, int]], None] = ([], None)
    if not body or body[0].text.upper() not in _STATEMENTS:
        return nothing
    depth = 0
    where: Token | None = None
    outer: list[Token] = []
    ended = False
    previous = ""
    for token in body:
        word = token.text.upper() if token.kind is not Kind.QUOTED else ""
        named = previous == "." or previous.endswith("@")
        previous = token.text
        opens = word in {"(", "["} or (word == "CASE" and not named)
        closes = word in {")", "]"} or (word == "END" and depth and not named)
        depth -= bool(closes)
        if depth or opens or closes or named:
            word = ""
        depth += bool(opens)
        if word in _SETS or (word == "WHERE" and where is not None):
            return nothing
        if word == "WHERE":
            where = token
        elif where is not None and not ended:
            ended = word in _AFTER_WHERE or word == ";"
            if word in looser:
                return nothing
            if not ended:
                outer.append(token if word else token._replace(kind=Kind.STRING))
    if where is None or not outer:
        return nothing
    return _split(outer), where


def _split(outer: Sequence[Token]) -> list[tuple[int, int]]:
    """Split the tokens of a WHERE at each AND that joins two conditions."""
    starts = [outer[0].start]
    ends = []
    between = False
    for before, token in pairwise(outer):
        if token.kind is not Kind.NAME:
            continue
        word = token.text.upper()
        if word == "AND" and not between:
            starts.append(token.start)
            ends.append(before.end)
        between = word == "BETWEEN" or (between and word != "AND")
    return list(zip(starts, [*ends, outer[-1].end], strict=True))


def _holds_conditions(region: Span, conditions: Sequence[tuple[int, int]]) -> bool:
    """Return whether a region of the text consists of one or more whole conditions."""
    return any(region.start == start for start, _ in conditions) and any(
        region.end == end for _, end in conditions
    )


def _shares(part: Part, uses: Sequence[Use]) -> bool:
    """Return whether the text outside an optional part uses one of the part's parameters."""
    inside = {use.name for use in uses if use.name and _within(use.span, part)}
    return any(use.name in inside and not _within(use.span, part) for use in uses)


def _within(span: Span, part: Part) -> bool:
    return any(region.start <= span.start < region.end for region in part.regions)


def _overlap(part: Part, other: Part) -> bool:
    return any(
        one.start < two.end and two.start < one.end for one in part.regions for two in other.regions
    )
