"""The rule that finds dates and times that Python cannot represent."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from aiosqlc.parse.scanner import Kind, Token
from aiosqlc.source import Span

_FOREIGN = re.compile(
    r"'\s*([+-]?infinity|24:00(:00(\.0+)?)?([+-][\d:]+)?|\d.*\bbc)\s*'", re.IGNORECASE
)
_TEMPORAL = frozenset({"date", "time", "timetz", "timestamp", "timestamptz", "interval"})
# Types whose infinity is a Python value too.
_NUMBERS = frozenset({"float", "float4", "float8", "real", "double", "numeric", "decimal"})


def foreign_values(tokens: Sequence[Token]) -> Iterator[Span]:
    """Yield the spans of dates and times that Python cannot represent, except in CHECKs."""
    clauses: list[list[str]] = [[]]  # the words since the last comma, per parenthesis
    for position, token in enumerate(tokens):
        word = token.text.lower()
        if word == "(":
            clauses.append([])
        elif word == ")":
            clauses = clauses[:-1] or [[]]
        elif word in {",", ";"}:
            clauses[-1] = []
        elif token.kind is Kind.STRING and _FOREIGN.fullmatch(token.text):
            cast = [other.text.lower() for other in tokens[position + 1 : position + 4]]
            words = {*clauses[-1], *cast}
            infinite = "infinity" in word and not _NUMBERS & words
            checked = any("check" in clause for clause in clauses)
            if (infinite or _TEMPORAL & words) and not checked:
                yield Span(token.start, token.end)
        clauses[-1].append(word)
