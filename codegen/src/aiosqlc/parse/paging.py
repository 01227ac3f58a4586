"""Rewrite a `:page` query so that its text also returns the total number of rows."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.ir import Paging, ParsedQuery, Variant
from aiosqlc.parse.clauses import ENDS, UnfitError, clauses_of, inserted
from aiosqlc.parse.keyset import with_cursors, with_keyset
from aiosqlc.parse.scanner import Kind, Token
from aiosqlc.source import Dialect, SourceMap

TOTAL = "page_total"
"""The name of the hidden column that holds the total."""

_FORM = "end it with `ORDER BY … LIMIT @size OFFSET @skip`"


def paged(query: ParsedQuery, dialect: Dialect) -> ParsedQuery | Diagnostic:
    """Return a `:page` query with the total as the last column of each text.

    The total is a scalar subquery over the same FROM and WHERE. The server computes it once.
    """
    try:
        if with_cursors(query, dialect):
            return with_keyset(query, dialect)
        paging = _paging(query, dialect)
        sql, source_map = _with_total(query.sql, query.source_map, dialect)
        variants = tuple(_variant(variant, dialect) for variant in query.variants)
    except UnfitError as unfit:
        label = Label(query.file, query.name_span, unfit.why)
        return Diagnostic("E390", f"`{query.name}` cannot be `:page`", (label,), unfit.hint)
    return replace(query, sql=sql, source_map=source_map, variants=variants, paging=paging)


def _variant(variant: Variant, dialect: Dialect) -> Variant:
    sql, source_map = _with_total(variant.sql, variant.source_map, dialect)
    return replace(variant, sql=sql, source_map=source_map)


def _paging(query: ParsedQuery, dialect: Dialect) -> Paging:
    clauses = clauses_of(query.sql, dialect)
    if "ORDER" not in clauses.at:
        raise UnfitError("without ORDER BY, a row can be on two pages or on none", _FORM)
    if "LIMIT" in clauses.at and any(token.text == "," for token in clauses.of("LIMIT")):
        raise UnfitError("LIMIT with a comma is not possible here", _FORM)
    if "LIMIT" not in clauses.at or "OFFSET" not in clauses.at:
        raise UnfitError("LIMIT or OFFSET is missing", _FORM)
    skip = _parameter(clauses.of("OFFSET"))
    if skip is None:
        raise UnfitError("OFFSET must be one parameter: the number of rows to skip", _FORM)
    limit = clauses.of("LIMIT")
    number = _parameter(limit)
    if number is None and [token.kind for token in limit] != [Kind.NUMBER]:
        raise UnfitError("LIMIT must be one parameter or a number", _FORM)
    for own in (skip, *(() if number is None else (number,))):
        if sum(len(param.spans) for param in query.params if param.number == own) > 1:
            raise UnfitError(
                "a parameter of LIMIT or OFFSET is also used elsewhere in the query", _FORM
            )
    return Paging(1, number, skip)


def _parameter(tokens: Sequence[Token]) -> int | None:
    """Return the number of the parameter that is a whole clause: `$2`, `($2)`, `$2::int`."""
    text = "".join(token.text for token in tokens)
    head = text.partition("::")[0].strip("()")
    return int(head[1:]) if head.startswith("$") and head[1:].isdigit() else None


def _with_total(sql: str, source_map: SourceMap, dialect: Dialect) -> tuple[str, SourceMap]:
    clauses = clauses_of(sql, dialect)
    tokens, at = clauses.tokens, clauses.at
    last = tokens[min(at[name] for name in ENDS if name in at) - 1]
    # Functions in the list may aggregate or return sets, and DISTINCT and GROUP BY merge rows.
    words = {token.text.upper() for token in tokens[at["SELECT"] :]}
    plain = words.isdisjoint({"GROUP", "HAVING", "DISTINCT"}) and not any(
        token.text == "(" for token in tokens[at["SELECT"] : at["FROM"]]
    )
    first = tokens[at["FROM" if plain else "SELECT"]]
    rows = sql[first.start : last.end]
    rows = rows if plain else f"FROM (\n{rows}\n) AS page_rows"
    if not any("\n" in token.text for token in tokens):
        rows = rows.replace("\n", "\n    ")  # no line of it is one of the text itself
    total = f",\n    (SELECT count(*) {rows}\n    ) AS {TOTAL}"
    source = source_map.to_source(tokens[at["FROM"]].start)
    return inserted(sql, source_map, tokens[at["FROM"] - 1].end, total, source)
