"""Find parameters that are used as sort keys or group keys, where they are constants."""

from __future__ import annotations

from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.parse.macros import ROWS, Use
from aiosqlc.parse.scanner import Token
from aiosqlc.source import SourceFile

_ENDS = frozenset(
    {",", ")", ";", "ASC", "DESC", "NULLS", "LIMIT", "OFFSET", "FETCH", "FOR", "HAVING"}
)


def check_sorting(file: SourceFile, tokens: list[Token], uses: list[Use]) -> list[Diagnostic]:
    """Report items of ORDER BY or GROUP BY that consist only of a parameter and its casts."""
    by_start = {use.span.start: use for use in uses if use.macro not in ROWS}
    found = []
    for position in range(len(tokens) - 2):
        clause = tokens[position].text.upper()
        if clause not in {"ORDER", "GROUP"} or tokens[position + 1].text.upper() != "BY":
            continue
        before = [token.text.upper() for token in tokens[max(position - 3, 0) : position]]
        # There the parameter is an argument of the aggregate.
        if before == ["WITHIN", "GROUP", "("]:
            continue
        use = by_start.get(tokens[position + 2].start)
        if use and _ends(tokens, position + 2, use):
            found.append(_problem(file, use, clause))
    return found


def _ends(tokens: list[Token], at: int, use: Use) -> bool:
    """Return whether only casts follow a parameter up to the end of the list item."""
    while at < len(tokens) and tokens[at].start < use.span.end:
        at += 1
    while at < len(tokens) and tokens[at].text == "::":
        at += 2
    return at >= len(tokens) or tokens[at].text.upper() in _ENDS


def _problem(file: SourceFile, use: Use, clause: str) -> Diagnostic:
    verb = "sorts" if clause == "ORDER" else "groups"
    return Diagnostic(
        "E123",
        f"{clause} BY a parameter {verb} by a constant",
        (Label(file, use.span, "a parameter here is a constant and does not sort"),),
        hint=(
            "to let callers choose the order, write `ORDER BY name -- :sort name, created_at desc`"
        ),
    )
