"""Check that `sqlc.nest(t)` fits the query's command, clauses and other lists."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.ir import Command, ParsedQuery
from aiosqlc.parse.scanner import Kind, Token, code_tokens
from aiosqlc.source import Dialect, Span

_COMMANDS = frozenset({Command.ONE, Command.MANY, Command.STREAM})
_SUBQUERY = "put {word} into a subquery: `FROM (SELECT … {word} …) AS p LEFT JOIN …`"
_CUTS = ("LIMIT", "OFFSET", "FETCH")
_MERGES = ("GROUP", "HAVING", "UNION", "INTERSECT", "EXCEPT", "MINUS", "RETURNING")


def nest_misuses(query: ParsedQuery, dialect: Dialect) -> Iterator[Diagnostic]:
    """Yield the errors in the use of `sqlc.nest(t)` that are visible in the query's text."""
    for embed in query.embeds:
        # The name of an embed without AS is that of its table, which may have a dot.
        if not embed.nest and "." in embed.name and embed.name != embed.table:
            why = "a row of a nested list can have columns and lists, but not `sqlc.embed`"
            hint = "nest a subquery: `(SELECT b.*, c.name AS category FROM b JOIN c ON …) AS b`"
            yield _misuse(query, embed.span, why, hint)
    nests = [embed for embed in query.embeds if embed.nest]
    if not nests:
        return
    if query.command not in _COMMANDS:
        why = f"`:{query.command}` cannot return lists of nested rows"
        yield _misuse(query, nests[0].span, why, "use :one, :many or :stream")
        return
    known = {embed.name for embed in nests}
    used: set[str] = set()
    for embed in nests:
        above = embed.name.rpartition(".")[0]
        if above and above not in known:
            hint = f"add `sqlc.nest(…) AS {above}`, or write `AS {embed.name.rpartition('.')[2]}`"
            yield _misuse(query, embed.span, f"no list has the name `{above}`", hint)
        if embed.name in used:
            hint = f"write `{embed.macro} AS …` with another name"
            yield _misuse(query, embed.span, f"two lists have the name `{embed.name}`", hint)
        used.add(embed.name)
    clause = _clause(code_tokens(query.sql, dialect))
    if clause:
        word = clause.text.upper()
        start = query.source_map.to_source(clause.start)
        why = (
            f"{word} counts joined rows, so the last list could be incomplete"
            if word in _CUTS
            else f"{word} is not possible in a SELECT with sqlc.nest"
        )
        hint = _SUBQUERY.format(word=word) if word != "RETURNING" else "use two queries"
        yield _misuse(query, Span(start, start + len(clause.text)), why, hint)


def _misuse(query: ParsedQuery, span: Span, why: str, hint: str) -> Diagnostic:
    message = f"`{query.name}` cannot nest rows"
    return Diagnostic("E344", message, (Label(query.file, span, why),), hint)


def _clause(tokens: Sequence[Token]) -> Token | None:
    """Return the first keyword that sqlc.nest does not allow in the outermost SELECT, or None."""
    depth = 0
    for position, token in enumerate(tokens):
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if depth or token.kind is not Kind.NAME:
            continue
        word = token.text.upper()
        before = tokens[position - 1].text.upper() if position else ""
        after = tokens[position + 1] if position + 1 < len(tokens) else token
        # OFFSET, FETCH and MINUS are names of columns in MySQL, and then no value follows.
        follows = after.kind in {Kind.NUMBER, Kind.PARAM, Kind.NAME} or after.text in {"$", "("}
        if before not in {".", "AS"} and (word in _MERGES or (word in _CUTS and follows)):
            return token
    return None
