"""Warn about text that the server accepts, but that probably means something unintended."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from itertools import pairwise

from aiosqlc.diagnostics import Diagnostic, Label, Severity
from aiosqlc.parse.macros import Use
from aiosqlc.parse.reserved import is_reserved
from aiosqlc.parse.scanner import LEXES, Kind, Token
from aiosqlc.source import Dialect, SourceFile, Span

# `@name`, `$1` or a macro at the start of a word, but not `ann@example.com` or `$.a ? (@.b)`.
_INSIDE = re.compile(
    r"(?<![\w@$.])(?P<param>@(?P<name>[A-Za-z_]\w*)(?![\w.(])"
    r"|sqlc\.n?arg\((?P<macro>\w+)\)|\$(?P<number>\d+)(?![\w.]))"
)
_COMPARES = frozenset({"=", "<>", "!=", "<", ">", "<=", ">=", "~", "LIKE", "ILIKE"})


def doubts(
    file: SourceFile, tokens: list[Token], uses: list[Use], dialect: Dialect
) -> list[Diagnostic]:
    """Return the warnings about a query; `tokens` do not include comments."""
    numbers = {str(use.number) for use in uses if use.number is not None}
    return [
        *_single_values(file, tokens, uses, dialect),
        *_lone_slices(file, tokens, uses),
        *_in_strings(file, tokens, numbers, dialect),
        *(_apart(file, tokens) if LEXES[dialect].names_by_at else _joined(file, tokens)),
    ]


def _single_values(
    file: SourceFile, tokens: list[Token], uses: list[Use], dialect: Dialect
) -> Iterator[Diagnostic]:
    """Warn about `id IN (@ids)`, where the parameter is only one value."""
    by_start = {use.span.start: use for use in uses if use.macro in {"arg", "narg"}}
    for position, token in enumerate(tokens):
        use = by_start.get(token.start)
        if use is None:
            continue
        words = [before.text.upper() for before in tokens[max(position - 2, 0) : position]]
        if words != ["IN", "("]:
            continue
        after = position
        while after < len(tokens) and tokens[after].start < use.span.end:
            after += 1
        if after >= len(tokens) or tokens[after].text != ")":
            continue
        written = file.text[use.span.start : use.span.end]
        negated = position > 2 and tokens[position - 3].text.upper() == "NOT"
        few, one = ("<> ALL", "<>") if negated else ("= ANY", "=")
        name = use.name or "ids"
        listed = f"`{'NOT ' if negated else ''}IN (sqlc.slice({name}))`"
        if LEXES[dialect].has_arrays:
            shown = f"@{name}" if use.name else written
            listed = f"`{few}({shown})` or {listed}"
        yield Diagnostic(
            "E125",
            f"`IN ({written})` compares with one value, not with a list",
            (Label(file, use.span, "one value"),),
            (
                f"write a list parameter as {listed}; to compare with a single value, write "
                f"`{one} {written}`"
            ),
            Severity.WARNING,
        )


def _lone_slices(file: SourceFile, tokens: list[Token], uses: list[Use]) -> Iterator[Diagnostic]:
    """Warn about `id = sqlc.slice(ids)`, because only IN can compare with a list."""
    slices = {use.span.start: use for use in uses if use.macro == "slice"}
    for before, token in pairwise(tokens):
        use = slices.get(token.start)
        if use is not None and before.text.upper() in _COMPARES:
            yield Diagnostic(
                "E125",
                f"`{before.text}` compares with one value, not with a list",
                (Label(file, use.span, "one value"),),
                f"write `IN (sqlc.slice({use.name}))`",
                Severity.WARNING,
            )


def _apart(file: SourceFile, tokens: list[Token]) -> Iterator[Diagnostic]:
    """Warn about `id = @ id` and `id = @1`, where `@` is the absolute value operator."""
    for before, token, name in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if token.text != "@" or before.text.upper() not in _COMPARES:
            continue
        if name.kind is Kind.NUMBER:
            yield Diagnostic(
                "E126",
                f"`@{name.text}` is the absolute value of {name.text}, not a parameter",
                (Label(file, Span(token.start, name.end), "no parameter"),),
                f"write `${name.text}`, or a name that begins with a letter",
                Severity.WARNING,
            )
        named = name.kind is Kind.NAME and not is_reserved(name.text, Dialect.POSTGRESQL)
        if named and token.end < name.start:
            yield Diagnostic(
                "E126",
                f"`@ {name.text}` is the absolute value of `{name.text}`, not a parameter",
                (Label(file, Span(token.start, name.end), "no parameter"),),
                f"write the parameter as `@{name.text}`",
                Severity.WARNING,
            )


def _joined(file: SourceFile, tokens: list[Token]) -> Iterator[Diagnostic]:
    """Warn about `name || ' '` on MySQL, where `||` is OR."""
    for position, token in enumerate(tokens[1:-1], 1):
        if token.text != "||":
            continue
        left, right = tokens[position - 1], tokens[position + 1]
        compared = position > 1 and tokens[position - 2].text.upper() in _COMPARES
        if right.kind is Kind.STRING or (left.kind is Kind.STRING and not compared):
            yield Diagnostic(
                "E127",
                "on MySQL `||` means OR, so it returns 0 or 1 for texts",
                (Label(file, token.span, "no text"),),
                f"write `concat({left.text}, {right.text})`",
                Severity.WARNING,
            )
            return


def _in_strings(
    file: SourceFile, tokens: list[Token], numbers: Collection[str], dialect: Dialect
) -> Iterator[Diagnostic]:
    """Warn about `'%@name%'`: a name inside a string is text, not a parameter.

    `$5` may be a price, so it is reported only if the query has a parameter with this number.
    """
    for position, token in enumerate(tokens):
        if token.kind is not Kind.STRING or token.text.startswith("$"):
            continue
        before = tokens[position - 1].text.upper() if position else ""
        for found in _INSIDE.finditer(token.text) if any(s in token.text for s in "@$.") else ():
            if found["number"] and found["number"] not in numbers:
                continue
            if found["name"] and token.text[1:-1] == found["param"] and before not in _COMPARES:
                continue  # such as `VALUES ('@daily')`, `id || '@invalid'`
            start = token.start + found.start("param")
            span = Span(start, start + len(found["param"]))
            yield Diagnostic(
                "E126",
                f"`{found['param']}` is inside a string, so it is not a parameter",
                (Label(file, span, "no parameter"),),
                _remedy(token.text, found, dialect, before),
                Severity.WARNING,
            )


def _remedy(text: str, found: re.Match[str], dialect: Dialect, word: str) -> str:
    """Return a hint that shows how to combine the string and the parameter."""
    quote = text[-1]
    arrays = LEXES[dialect].has_arrays
    name = found["name"] or found["macro"] or ""
    param = found["param"] if arrays or not name else f"sqlc.arg({name})"
    before, after = text[: found.start("param")], text[found.end("param") :]
    if word == "INTERVAL" and arrays:
        return f"multiply an interval: `{param} * INTERVAL {before}1{after}`"
    parts = [f"{before}{quote}", param, f"{quote}{after}"]
    if before[-1:] == quote and not before.strip(quote):
        parts = parts[1:]
    if after == quote:
        parts = parts[:-1]
    if len(parts) == 1:
        return f"write the parameter without quotes: `{param}`"
    joined = " || ".join(parts) if arrays else f"CONCAT({', '.join(parts)})"
    return f"close the string before the parameter: `{joined}`"
