"""Find arguments of `CALL` that the server refuses because the parameter is OUT or INOUT."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.ir import ParsedQuery
from aiosqlc.mysql.relations import Routine
from aiosqlc.parse.scanner import Token, code_tokens, unquote
from aiosqlc.source import Dialect, Span


def unassignable(query: ParsedQuery, routines: Sequence[Routine]) -> Iterator[Diagnostic]:
    """Yield an error for each output parameter whose argument is not a session variable.

    PREPARE accepts such a call, but the server refuses to run it.
    """
    tokens = code_tokens(query.sql, Dialect.MYSQL)
    if len(tokens) < 3 or tokens[0].text.upper() != "CALL" or tokens[2].text != "(":
        return
    name = unquote(tokens[1])
    found = [r for r in routines if r.returns is None and r.name.lower() == name.lower()]
    if len(found) != 1:
        return
    for number, (argument, mode) in enumerate(
        zip(_arguments(tokens), found[0].modes, strict=False)
    ):
        if mode == "IN" or not argument or argument[0].text.startswith("@"):
            continue
        parameter = found[0].params[number][0]
        place = query.source_map.over(Span(argument[0].start, argument[-1].end))
        yield Diagnostic(
            "E371",
            f"`{query.name}` can never succeed: `{parameter}` of `{name}` is an {mode} parameter,"
            " and its argument must be a session variable",
            (Label(query.file, place),),
            f"pass `@{parameter}` and read it with `SELECT @{parameter}` on the same connection,"
            " or end the procedure with a SELECT of its results",
        )


def _arguments(tokens: Sequence[Token]) -> list[Sequence[Token]]:
    """Return the tokens of each argument of `CALL name(…)`, whose third token is the `(`."""
    found: list[Sequence[Token]] = []
    depth, start = 0, 3
    for at, token in enumerate(tokens[2:], 2):
        depth += (token.text == "(") - (token.text == ")")
        if (token.text == "," and depth == 1) or (token.text == ")" and depth == 0):
            found.append(tokens[start:at])
            start = at + 1
        if depth == 0:
            break
    return found
