"""Turns a one-row INSERT marked `:bulk` into one statement for any number of rows, by UNNEST."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.ir import (
    Analysis,
    Analyze,
    AnalyzeOptions,
    Cardinality,
    Command,
    ParsedQuery,
    SchemaFile,
    SqlType,
    TypedQuery,
)
from aiosqlc.parse.scanner import Kind, Token, code_tokens, scan
from aiosqlc.source import SourceMap

_COMMANDS = frozenset({Command.EXEC, Command.EXECROWS, Command.MANY})


def is_bulk(query: ParsedQuery) -> bool:
    """Whether a query is marked `:bulk`."""
    return ("bulk", "") in query.options


def is_spread(query: TypedQuery) -> bool:
    """Whether a query's text takes an array of each parameter: many rows at once."""
    return is_bulk(query.parsed) and "AS bulk" in query.sql


def with_bulk(analyze: Analyze) -> Analyze:
    """Return an analyser that asks the server about the many-row texts too."""

    def analyze_both(
        schema: Sequence[SchemaFile], queries: Sequence[ParsedQuery], options: AnalyzeOptions
    ) -> tuple[Analysis, tuple[Diagnostic, ...]]:
        analysis, problems = analyze(schema, queries, options)
        marked = [query for query in analysis.queries if is_bulk(query.parsed)]
        if not marked:
            return analysis, problems
        rewritten, refused = _rewrite_all(marked)
        spread, found = analyze(schema, [parsed for _, parsed in rewritten], options)
        told = {(item.code, item.labels) for item in problems}
        more = [item for item in found if (item.code, item.labels) not in told]
        by_name = {query.parsed.name: query for query in spread.queries}
        known = tuple(_merged(query, by_name.get(query.parsed.name)) for query in analysis.queries)
        return replace(analysis, queries=known), (*problems, *refused, *more)

    return analyze_both


def _merged(one: TypedQuery, many: TypedQuery | None) -> TypedQuery:
    """Keep the parameters of one row; what comes out is what the many-row text returns."""
    if many is None:
        return one
    return replace(many, parsed=one.parsed, params=one.params, cardinality=Cardinality.MANY)


def _rewrite_all(
    marked: Sequence[TypedQuery],
) -> tuple[list[tuple[TypedQuery, ParsedQuery]], list[Diagnostic]]:
    rewritten, problems = [], []
    for query in marked:
        found = _rewrite(query)
        if isinstance(found, str):
            at = (Label(query.parsed.file, query.parsed.name_span, found),)
            hint = "`:bulk` takes `INSERT INTO t (…) VALUES (…)` with any ON CONFLICT and RETURNING"
            problems.append(Diagnostic("E330", "this query cannot be `:bulk`", at, hint))
        else:
            rewritten.append((query, found))
    return rewritten, problems


def _rewrite(query: TypedQuery) -> ParsedQuery | str:
    """Return the many-row query, or why there is none."""
    if query.parsed.command not in _COMMANDS:
        return "use `:many` for what RETURNING gives, or `:exec` or `:execrows`"
    tokens = code_tokens(query.sql)
    row = _values(tokens)
    if row is None:
        return "not an INSERT of one row of VALUES"
    first, last = row
    inside = {token.text for token in tokens[first : last + 1] if token.kind is Kind.PARAM}
    outside = [*tokens[:first], *tokens[last + 1 :]]
    if any(token.kind is Kind.PARAM for token in outside):
        return "a parameter stands outside VALUES; in ON CONFLICT use `excluded.column`"
    if any(token.text.upper() == "DEFAULT" for token in tokens[first : last + 1]):
        return "DEFAULT cannot be spread over rows; leave the column out"
    if any(param.type.array_dims for param in query.params):
        return "an array cannot be spread over rows; use `:copyfrom` or `:batchexec`"
    if not inside:
        return "no parameter in VALUES"
    sql = _unnested(query, tokens[first], tokens[last])
    start = query.parsed.span.start
    return replace(query.parsed, sql=sql, source_map=SourceMap(((0, start, False),)), embeds=())


def _values(tokens: Sequence[Token]) -> tuple[int, int] | None:
    """Return the positions of the parentheses around the only row of VALUES."""
    words = [token.text.upper() for token in tokens]
    if "INSERT" not in words or "VALUES" not in words:
        return None
    first = words.index("VALUES") + 1
    depth = 0
    for position in range(first, len(words)):
        depth += {"(": 1, ")": -1}.get(words[position], 0)
        if not depth:
            one_row = words[position + 1 : position + 2] != [","]
            return (first, position) if one_row else None
    return None


def _unnested(query: TypedQuery, opening: Token, closing: Token) -> str:
    sql = query.sql
    before = sql[: opening.start].rstrip()[: -len("VALUES")]
    values, at = "", opening.end
    for token in scan(sql[: closing.start], start=opening.end):
        if token.kind is Kind.PARAM:
            values += sql[at : token.start] + f"bulk.p{token.text[1:]}"
            at = token.end
    values += sql[at : closing.start]
    numbers = sorted(param.number for param in query.params)
    types = {param.number: _type_name(param.type) for param in query.params}
    arrays = ", ".join(f"${number}::{types[number]}[]" for number in numbers)
    names = ", ".join(f"p{number}" for number in numbers)
    source = f"SELECT {values.strip()}\nFROM unnest({arrays}) AS bulk({names})"
    return f"{before}{source}{sql[closing.end :]}"


def _type_name(kind: SqlType) -> str:
    if kind.schema == "pg_catalog":
        return '"char"' if kind.name == "char" else kind.name
    return f'"{kind.schema}"."{kind.name}"'
