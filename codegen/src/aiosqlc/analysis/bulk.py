"""Turn a one-row INSERT marked `:bulk` into one statement for any number of rows.

In PostgreSQL, the statement uses UNNEST. MySQL has no arrays, so the generated function repeats the
row in VALUES.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from aiosqlc.analysis.port import Analyze
from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.ir import (
    Analysis,
    AnalyzeOptions,
    Cardinality,
    Command,
    ParsedQuery,
    SchemaFile,
    SqlType,
    TypedQuery,
    TypeKind,
)
from aiosqlc.parse.scanner import LEXES, Kind, Token, code_tokens, scan
from aiosqlc.source import Dialect, SourceMap

_COMMANDS = frozenset({Command.EXEC, Command.EXECROWS, Command.MANY})


def is_bulk(query: ParsedQuery) -> bool:
    """Return whether a query is marked `:bulk`."""
    return ("bulk", "") in query.options


def is_spread(query: TypedQuery) -> bool:
    """Return whether a query has one array for each parameter, and so inserts many rows at once."""
    return is_bulk(query.parsed) and "AS bulk" in query.sql


def with_bulk(analyze: Analyze, engine: Dialect = Dialect.POSTGRESQL) -> Analyze:
    """Return an analyser that also checks the multi-row statements of `:bulk` queries."""
    arrays = LEXES[engine].has_arrays

    def analyze_both(
        schema: Sequence[SchemaFile], queries: Sequence[ParsedQuery], options: AnalyzeOptions
    ) -> tuple[Analysis, tuple[Diagnostic, ...]]:
        analysis, problems = analyze(schema, queries, options)
        marked = [query for query in analysis.queries if is_bulk(query.parsed)]
        if not marked:
            return analysis, problems
        rewritten, refused = _rewrite_all(marked, engine)
        spread, found = analyze(schema, [parsed for _, parsed in rewritten], options)
        reported = {(item.code, item.labels) for item in problems}
        more = [item for item in found if (item.code, item.labels) not in reported]
        by_name = {query.parsed.name: query for query in spread.queries}
        known = tuple(
            _merged(query, by_name.get(query.parsed.name), arrays=arrays)
            for query in analysis.queries
        )
        return replace(analysis, queries=known), (*problems, *refused, *more)

    return analyze_both


def _merged(one: TypedQuery, many: TypedQuery | None, *, arrays: bool) -> TypedQuery:
    """Combine the parameters of the one-row INSERT with the result of the multi-row statement."""
    if many is None:
        return one
    sql = many.sql if arrays else one.sql
    return replace(
        many,
        parsed=one.parsed,
        sql=sql,
        params=one.params,
        cardinality=Cardinality.MANY,
        leaks=one.leaks,  # each row contains its tenant, as in a call of the one-row INSERT
    )


def _rewrite_all(
    marked: Sequence[TypedQuery], engine: Dialect
) -> tuple[list[tuple[TypedQuery, ParsedQuery]], list[Diagnostic]]:
    rewritten, problems = [], []
    for query in marked:
        found = _rewrite(query, engine)
        if isinstance(found, str):
            at = (Label(query.parsed.file, query.parsed.name_span, found),)
            said = "this query cannot have the option `:bulk`"
            problems.append(Diagnostic("E330", said, at, _TAKEN[engine]))
        else:
            rewritten.append((query, found))
    return rewritten, problems


_ONE_ROW = "`:bulk` takes `INSERT INTO t (…) VALUES (…)` with any "
_TAKEN = {
    Dialect.POSTGRESQL: _ONE_ROW + "ON CONFLICT and RETURNING",
    Dialect.MYSQL: _ONE_ROW + "ON DUPLICATE KEY UPDATE",
}
_INSTEAD = {Dialect.POSTGRESQL: "`excluded.column`", Dialect.MYSQL: "`VALUES(column)`"}


def row_in(sql: str, engine: Dialect) -> str:
    """Return the text of the row after VALUES, or an empty string if VALUES has other rows."""
    tokens = code_tokens(sql, engine)
    row = _values(tokens)
    return sql[tokens[row[0]].start : tokens[row[1]].end] if row else ""


def _rewrite(query: TypedQuery, engine: Dialect) -> ParsedQuery | str:
    """Turn a one-row INSERT into a multi-row query, or return the reason why this is impossible."""
    arrays = LEXES[engine].has_arrays
    if query.parsed.command not in _COMMANDS:
        return (
            "use `:many` to return the rows of RETURNING, or use `:exec` or `:execrows` without "
            "RETURNING"
        )
    tokens = code_tokens(query.sql, engine)
    row = _values(tokens)
    if row is None:
        return "not an INSERT of one row of VALUES"
    first, last = row
    inside = _has_parameter(tokens[first : last + 1])
    if _has_parameter(tokens[:first]) or _has_parameter(tokens[last + 1 :]):
        return (
            f"a parameter is outside VALUES; to refer to the value of a row, use {_INSTEAD[engine]}"
        )
    if arrays and any(token.text.upper() == "DEFAULT" for token in tokens[first : last + 1]):
        return "DEFAULT cannot be used with several rows; leave the column out"
    if any(param.type.array_dims for param in query.params):
        return "an array parameter cannot be used with `:bulk`; use `:copyfrom` or `:batchexec`"
    if not inside:
        return "VALUES has no parameter"
    if arrays:
        sql = _unnested(query, tokens[first], tokens[last])
    else:
        written = query.sql[tokens[first].start : tokens[last].end]
        sql = f"{query.sql[: tokens[last].end]}, {written}{query.sql[tokens[last].end :]}"
    start = query.parsed.span.start
    return replace(query.parsed, sql=sql, source_map=SourceMap(((0, start, False),)), embeds=())


def _has_parameter(tokens: Sequence[Token]) -> bool:
    """Return whether tokens contain a parameter `$n`. MySQL's lexer reads `$n` as two tokens."""
    return any(
        token.kind is Kind.PARAM or (token.text == "$" and following.kind is Kind.NUMBER)
        for token, following in zip(tokens, [*tokens[1:], *tokens[-1:]], strict=True)
    )


def _values(tokens: Sequence[Token]) -> tuple[int, int] | None:
    """Return the positions of the parentheses around the only row of VALUES, or None."""
    words = [token.text.upper() for token in tokens]
    if not {"INSERT", "REPLACE"} & {*words} or "VALUES" not in words:
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
    numbers = sorted(param.number for param in query.params)
    types = {param.number: _type_name(param.type) for param in query.params}
    arrays = {number: f"${number}::{types[number]}[]" for number in numbers}
    names = ", ".join(f"p{number}" for number in numbers)
    one = {number: f"bulk.p{number}" for number in numbers}
    source = f"unnest({', '.join(arrays.values())}) AS bulk({names})"
    # UNNEST would split a composite into its fields.
    if any(_is_composite(param.type) for param in query.params):
        one = {number: f"({array})[bulk.at]" for number, array in arrays.items()}
        source = f"generate_subscripts({arrays[numbers[0]]}, 1) AS bulk(at)"
    values, at = "", opening.end
    for token in scan(sql[: closing.start], start=opening.end):
        if token.kind is Kind.PARAM:
            values += sql[at : token.start] + one[int(token.text[1:])]
            at = token.end
    values += sql[at : closing.start]
    return f"{before}SELECT {values.strip()}\nFROM {source}{sql[closing.end :]}"


def _is_composite(kind: SqlType) -> bool:
    while kind.kind is TypeKind.DOMAIN and kind.base:
        kind = kind.base
    return kind.kind is TypeKind.COMPOSITE


def _type_name(kind: SqlType) -> str:
    if kind.schema == "pg_catalog":
        return '"char"' if kind.name == "char" else kind.name
    return ".".join('"' + name.replace('"', '""') + '"' for name in (kind.schema, kind.name))
