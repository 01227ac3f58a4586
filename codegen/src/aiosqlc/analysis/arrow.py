"""Derive SQL that returns the result of an `:arrow` query by column; the server checks the SQL.

In the derived SQL, the query is the WITH query `q`. For each column, the derived SQL joins all
values, in the binary format of the type, to one `bytea`. The columns arrive in one row, so the
generated function runs the SQL like any other query with parameters, on the caller's connection and
in the caller's transaction. The generated module `arrow_batch` reads the columns in the same order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from aiosqlc.analysis.port import Analyze
from aiosqlc.diagnostics import Diagnostic, Label, Severity
from aiosqlc.ir import (
    Analysis,
    AnalyzeOptions,
    Command,
    ParsedQuery,
    SchemaFile,
    SqlType,
    TypedQuery,
    TypeKind,
)
from aiosqlc.source import Dialect, SourceMap

SENT: Final[Mapping[str, str]] = {
    "bool": "boolsend",
    "int2": "int2send",
    "int4": "int4send",
    "int8": "int8send",
    "float4": "float4send",
    "float8": "float8send",
    "date": "date_send",
    "time": "time_send",
    "timestamp": "timestamp_send",
    "timestamptz": "timestamptz_send",
    "uuid": "uuid_send",
}
"""For each type of fixed length, PostgreSQL's function that encodes a value in binary format."""
_TEXTS = frozenset({"text", "varchar", "bpchar", "name", "json", "jsonb"})
_ENGINES = frozenset({Dialect.POSTGRESQL})  # that join the values of a column in binary format
_MOST_DIGITS = 38  # of a decimal128
_MOST_PARTS = 1600  # the server's limit is 1664 columns of a result
_NUMERIC = "cast the column to numeric(p, s) with at most 38 digits, float8 or text"


def with_arrow(analyze: Analyze, engine: Dialect = Dialect.POSTGRESQL) -> Analyze:
    """Return an analyser that also checks the column types and derived SQL of `:arrow` queries."""

    def analyze_both(
        schema: Sequence[SchemaFile], queries: Sequence[ParsedQuery], options: AnalyzeOptions
    ) -> tuple[Analysis, tuple[Diagnostic, ...]]:
        analysis, problems = analyze(schema, queries, options)
        marked = [
            query
            for query in analysis.queries
            if query.parsed.command is Command.ARROW and query.columns
        ]
        if not marked:
            return analysis, problems
        unfit = [tuple(not_sent(query, engine)) for query in marked]
        sent = [sending(query) for query, why in zip(marked, unfit, strict=True) if not why]
        refused = _refused_texts(analyze, schema, sent, options) if sent else []
        return analysis, (*problems, *(each for why in unfit for each in why), *refused)

    return analyze_both


def _refused_texts(
    analyze: Analyze,
    schema: Sequence[SchemaFile],
    sent: Sequence[TypedQuery],
    options: AnalyzeOptions,
) -> list[Diagnostic]:
    """Return an error for each query whose derived SQL the server refuses."""
    # The rows are those of the query, whose tenant is already proved.
    options = replace(options, tenant=None, strict=False)
    found, problems = analyze(schema, [_draft(query) for query in sent], options)
    known = {query.parsed.name for query in found.queries}
    why = next((item.message for item in problems if item.severity is Severity.ERROR), "")
    return [
        _error(
            query, f"the server rejects the SQL that `:arrow` generates for this query: {why}", ""
        )
        for query in sent
        if query.parsed.name not in known
    ]


def not_sent(query: TypedQuery, engine: Dialect) -> Iterator[Diagnostic]:
    """Yield an error for each reason why a query cannot be `:arrow`."""
    if unfit := next(_unfit(query, engine), None):
        yield unfit
    else:
        yield from _unfit_columns(query)


def sending(query: TypedQuery) -> TypedQuery:
    """Return the query with SQL that returns one row, with all values of a column in each field."""
    names = [f"c{number}" for number, _ in enumerate(query.columns)]
    same = [_is_type(name, column.type) for name, column in zip(names, query.columns, strict=True)]
    before, after = _around(names, same, [*_all_parts(query)])
    variants = tuple(
        replace(variant, sql=f"{before}{variant.sql}{after}") for variant in query.variants
    )
    return replace(query, sql=f"{before}{query.sql}{after}", variants=variants)


def _draft(query: TypedQuery) -> ParsedQuery:
    """Return a `:many` query for the server to analyse; the generated code never runs it."""
    parsed = query.parsed
    places = SourceMap(((0, parsed.span.start, False),))
    variants = tuple(replace(variant, source_map=places) for variant in query.variants)
    return replace(
        parsed, command=Command.MANY, sql=query.sql, source_map=places, variants=variants, hints=()
    )


def _all_parts(query: TypedQuery) -> Iterator[str]:
    for number, column in enumerate(query.columns):
        kind, nullable = base_of(column.type), not column.not_null
        yield from _parts(f"c{number}", kind, column.element_not_null, nullable=nullable)


def _around(names: list[str], same: list[str], parts: list[str]) -> tuple[str, str]:
    """Return the SQL to put before and after a query that has columns with these names.

    `same` are conditions that check the types of the columns. An outer join lets the server
    evaluate them even if the query returns no row. `parts` are the aggregates that join the values.
    """
    types, sent = "\n        AND ".join(same), ",\n    ".join(parts)
    before = f"WITH q ({', '.join(names)}) AS NOT MATERIALIZED (\n"
    checked = f"(SELECT {types}\n    FROM (SELECT) AS one LEFT JOIN q ON false)"  # noqa: S608 - generated names
    return before, f"\n)\nSELECT count(*),\n    {checked},\n    {sent}\nFROM q"


def _unfit(query: TypedQuery, engine: Dialect) -> Iterator[Diagnostic]:
    """Yield an error if a query cannot be `:arrow` for a reason other than its column types."""
    parsed = query.parsed
    if engine not in _ENGINES:
        hint = "use :many, and build the record batch from its rows"
        yield _error(
            query, "only PostgreSQL can aggregate the values of a column in binary format", hint
        )
    elif parsed.embeds:
        label = Label(parsed.file, parsed.embeds[0].span, "an Arrow schema has no nested rows")
        hint = f"write `{parsed.embeds[0].table}.*` or list the columns"
        yield Diagnostic("E398", _message(query), (label,), hint)
    elif not query.read_only:
        why = f"the query is not proved to be read-only: {query.unproved_reading}"
        yield _error(query, why, "remove the part that writes, or use :many")


def _unfit_columns(query: TypedQuery) -> Iterator[Diagnostic]:
    """Yield an error for each column that has no exact Arrow type or repeats a column name."""
    names = [column.name for column in query.columns]
    for number, column in enumerate(query.columns):
        if column.name in names[:number]:
            hint = f"rename one of them: `… AS other_{column.name}`"
            yield _error(query, f"two columns have the name `{column.name}`", hint)
        if refused := _refused(base_of(column.type)):
            why, hint = refused
            yield _error(query, f"column `{column.name}` {why}", hint)
    if (count := sum(1 for _ in _all_parts(query))) > _MOST_PARTS:
        why = f"the columns are sent as {count} values, but at most {_MOST_PARTS} are possible"
        yield _error(query, why, "select fewer columns")


def _message(query: TypedQuery) -> str:
    return f"`{query.parsed.name}` cannot be `:arrow`"


def _error(query: TypedQuery, why: str, hint: str) -> Diagnostic:
    label = Label(query.parsed.file, query.parsed.name_span, why)
    return Diagnostic("E398", _message(query), (label,), hint)


def base_of(kind: SqlType) -> SqlType:
    """Return a type with a domain replaced by its base type, also in an array of domain values."""
    while kind.kind is TypeKind.DOMAIN and kind.base:
        dims = kind.array_dims + kind.base.array_dims
        kind = replace(kind.base, array_dims=dims)
    return kind


def _refused(kind: SqlType) -> tuple[str, str] | None:
    """Return why a database type has no Arrow type, and a correction; None if it has one."""
    written = f"{kind.name}{'[]' * kind.array_dims}"
    if kind.array_dims > 1:
        return f"has the type `{written}`, an array of arrays", "cast the column to text"
    if kind.name == "numeric" and kind.kind is TypeKind.BASE:
        precision, scale = kind.precision, kind.scale or 0
        if precision is None:
            return f"has the type `{written}` without a precision", _NUMERIC
        if not (precision <= _MOST_DIGITS and 0 <= scale <= precision):
            return (
                f"has the type `numeric({precision}, {scale})`, which decimal128 does not support",
                _NUMERIC,
            )
        return None
    if kind.kind is TypeKind.ENUM or kind.name in _TEXTS or kind.name == "bytea":
        return None
    if kind.kind is TypeKind.BASE and kind.name in SENT:
        return None
    return (
        f"has the type `{written}`, which has no Arrow type",
        "cast the column, for example to text",
    )


def _parts(value: str, kind: SqlType, element_not_null: bool, *, nullable: bool) -> Iterator[str]:
    """Yield the SQL aggregates that return the NULL flags, lengths and values of a column."""
    if nullable:
        yield _joined(f"boolsend({value} IS NULL)")
    if kind.array_dims:
        yield f"coalesce(max(array_ndims({value})), 0)"
        yield _lengths(f"cardinality({value})", nullable=nullable)
        element = replace(kind, array_dims=0)
        for part in _parts("e", element, element_not_null, nullable=not element_not_null):
            yield _joined(f"(SELECT {part} FROM unnest({value}) AS u (e))")  # noqa: S608 - generated
        return
    if kind.kind is TypeKind.BASE and kind.name in SENT:
        yield _joined(f"{SENT[kind.name]}({value})")
        return
    if kind.kind is TypeKind.BASE and kind.name == "numeric":
        yield _joined(f"textsend(CAST({value} AS text) || ',')")
        return
    sent = {"bytea": value, "bpchar": f"bpcharsend({value})"}.get(
        kind.name if kind.kind is TypeKind.BASE else "", f"textsend(CAST({value} AS text))"
    )
    yield _lengths(f"octet_length({sent})", nullable=nullable)
    yield _joined(sent)


def _lengths(length: str, *, nullable: bool) -> str:
    return _joined(f"int4send({f'coalesce({length}, 0)' if nullable else length})")


def _joined(value: str) -> str:
    return f"string_agg({value}, '')"


def _is_type(value: str, kind: SqlType) -> str:
    """Return a SQL condition that is true if a column still has the type in the generated code.

    If the type is a domain, the condition also accepts the domain's base type.
    """
    known = [_regtype(kind)]
    while kind.kind is TypeKind.DOMAIN and kind.base:
        kind = replace(kind.base, array_dims=kind.array_dims + kind.base.array_dims)
        known.append(_regtype(kind))
    return f"pg_typeof({value}) IN ({', '.join(known)})"


def _regtype(kind: SqlType) -> str:
    quoted = ".".join(
        '"' + name.replace('"', '""') + '"' for name in (kind.schema, kind.name) if name
    )
    written = f"{quoted}{'[]' if kind.array_dims else ''}".replace("'", "''")
    return f"CAST('{written}' AS regtype)"
