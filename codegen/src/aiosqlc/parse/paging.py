"""Rewrite a `:page` query: the text that is sent also returns the total number of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.ir import Paging, ParsedQuery, Variant
from aiosqlc.parse.scanner import Kind, Token, code_tokens
from aiosqlc.source import Dialect, SourceMap

TOTAL = "page_total"
"""The name of the hidden column that holds the total."""

_ENDS = frozenset({"ORDER", "LIMIT", "OFFSET"})
_CLAUSES = frozenset({"FROM", *_ENDS})
_SET_OPERATIONS = frozenset({"UNION", "INTERSECT", "EXCEPT", "MINUS"})
_REFUSED = frozenset({"FETCH", "FOR", "LOCK", "INTO", "PROCEDURE", *_SET_OPERATIONS})
_AROUND = "put it into a subquery: `SELECT * FROM (…) AS q ORDER BY … LIMIT @size OFFSET @skip`"
_FORM = "end it with `ORDER BY … LIMIT @size OFFSET @skip`"


class _UnfitError(Exception):
    """Raised for a query that cannot be paged, with the reason `why` and a correction."""

    def __init__(self, why: str, hint: str) -> None:
        super().__init__(why)
        self.why, self.hint = why, hint


def paged(query: ParsedQuery, dialect: Dialect) -> ParsedQuery | Diagnostic:
    """Return a `:page` query with the total as the last column of each text.

    The total is a scalar subquery over the same FROM and WHERE. The server computes it once.
    """
    try:
        paging = _paging(query, dialect)
        sql, source_map = _with_total(query.sql, query.source_map, dialect)
        variants = tuple(_variant(variant, dialect) for variant in query.variants)
    except _UnfitError as unfit:
        label = Label(query.file, query.name_span, unfit.why)
        return Diagnostic("E390", f"`{query.name}` cannot be `:page`", (label,), unfit.hint)
    return replace(query, sql=sql, source_map=source_map, variants=variants, paging=paging)


def _variant(variant: Variant, dialect: Dialect) -> Variant:
    sql, source_map = _with_total(variant.sql, variant.source_map, dialect)
    return replace(variant, sql=sql, source_map=source_map)


@dataclass(frozen=True, slots=True)
class _Clauses:
    """The tokens of a statement, with the start of each clause of its outermost SELECT."""

    tokens: Sequence[Token]
    at: dict[str, int]

    def of(self, name: str) -> Sequence[Token]:
        """Return the tokens of a clause, without the keyword that starts the clause."""
        start = self.at[name]
        end = min([at for at in self.at.values() if at > start], default=len(self.tokens))
        return self.tokens[start + 1 : end]


def _clauses(sql: str, dialect: Dialect) -> _Clauses:
    tokens = code_tokens(sql, dialect)
    at: dict[str, int] = {}
    depth = 0
    for position, token in enumerate(tokens):
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if depth or token.kind is not Kind.NAME:
            continue
        word = token.text.upper()
        before = tokens[position - 1].text.upper() if position else ""
        if word == "SELECT" and "SELECT" not in at:
            at[word] = position
        elif "SELECT" not in at or before == ".":
            continue
        elif word in _REFUSED:
            raise _UnfitError(f"{word} is not possible in the outermost SELECT", _AROUND)
        elif word in _CLAUSES and word not in at and (word != "FROM" or before != "DISTINCT"):
            at[word] = position
    if "SELECT" not in at or "FROM" not in at:
        raise _UnfitError("only a SELECT with FROM has pages", _AROUND)
    return _Clauses(tokens, at)


def _paging(query: ParsedQuery, dialect: Dialect) -> Paging:
    clauses = _clauses(query.sql, dialect)
    if "ORDER" not in clauses.at:
        raise _UnfitError("without ORDER BY, a row can be on two pages or on none", _FORM)
    if "LIMIT" not in clauses.at or "OFFSET" not in clauses.at:
        raise _UnfitError("LIMIT or OFFSET is missing", _FORM)
    skip = _parameter(clauses.of("OFFSET"))
    if skip is None:
        raise _UnfitError("OFFSET must be one parameter: the number of rows to skip", _FORM)
    limit = clauses.of("LIMIT")
    number = _parameter(limit)
    if number is None and [token.kind for token in limit] != [Kind.NUMBER]:
        raise _UnfitError("LIMIT must be one parameter or a number", _FORM)
    for own in (skip, *(() if number is None else (number,))):
        if sum(len(param.spans) for param in query.params if param.number == own) > 1:
            raise _UnfitError("the parameters of LIMIT and OFFSET have another use, too", _FORM)
    return Paging(1, skip, number)


def _parameter(tokens: Sequence[Token]) -> int | None:
    """Return the number of a parameter that is a whole clause: `$2`, `($2)`, `$2::int`."""
    text = "".join(token.text for token in tokens)
    head = text.partition("::")[0].strip("()")
    return int(head[1:]) if head.startswith("$") and head[1:].isdigit() else None


def _with_total(sql: str, source_map: SourceMap, dialect: Dialect) -> tuple[str, SourceMap]:
    clauses = _clauses(sql, dialect)
    tokens, at = clauses.tokens, clauses.at
    last = tokens[min(at[name] for name in _ENDS if name in at) - 1]
    # Functions in the list may aggregate or return sets, and DISTINCT and GROUP BY merge rows.
    words = {token.text.upper() for token in tokens[at["SELECT"] :]}
    plain = words.isdisjoint({"GROUP", "DISTINCT"}) and not any(
        token.text == "(" for token in tokens[at["SELECT"] : at["FROM"]]
    )
    first = tokens[at["FROM" if plain else "SELECT"]]
    rows = sql[first.start : last.end]
    rows = rows if plain else f"FROM (\n{rows}\n) AS page_rows"
    if not any("\n" in token.text for token in tokens):
        rows = rows.replace("\n", "\n    ")  # no line of it is one of the text itself
    total = f",\n    (SELECT count(*) {rows}\n    ) AS {TOTAL}"
    return _inserted(sql, source_map, tokens[at["FROM"] - 1].end, total)


def _inserted(sql: str, source_map: SourceMap, at: int, text: str) -> tuple[str, SourceMap]:
    """Return a text with another text inserted, and its source map."""
    source, length = source_map.to_source(at), len(text)
    before = [piece for piece in source_map.pieces if piece[0] < at]
    copied = before[-1][2] if before else True
    after = [(out + length, src, kept) for out, src, kept in source_map.pieces if out > at]
    pieces = (*before, (at, source, False), (at + length, source, copied), *after)
    return f"{sql[:at]}{text}{sql[at:]}", SourceMap(pieces)
