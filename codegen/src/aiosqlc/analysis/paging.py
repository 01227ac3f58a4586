"""Check that the pages of a `:page` query with a cursor contain each row exactly once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from aiosqlc.analysis.port import Analyze
from aiosqlc.diagnostics import Diagnostic, Label, Severity
from aiosqlc.ir import (
    Analysis,
    AnalyzeOptions,
    Column,
    Command,
    Paging,
    Param,
    ParsedQuery,
    SchemaFile,
    SqlType,
    TypedQuery,
    TypeKind,
    Variant,
)

# The types whose values a driver returns, a cursor holds, and the server compares as it sorts.
# MySQL sorts an enum by number and compares it as text, and sends a rounded FLOAT.
_POSTGRES = frozenset(
    {
        *("bool", "int2", "int4", "int8", "oid", "numeric", "float4", "float8", "uuid", "bytea"),
        *("text", "varchar", "bpchar", "name", "citext", "date", "time", "timestamp"),
        "timestamptz",
    }
)
_MYSQL = frozenset(
    {
        *("tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "double", "year"),
        *("char", "varchar", "text", "tinytext", "mediumtext", "longtext"),
        *("date", "datetime", "timestamp", "time", "binary", "varbinary"),
    }
)

_SORTED = 1024  # MySQL sorts by this number of bytes of a text (max_sort_length)


def with_pages(analyze: Analyze) -> Analyze:
    """Return an analyser that also proves that no two rows of a `:page` query have equal sort keys.

    To prove this, it analyses a query that selects the rows with given values of the sort keys.
    This query must return at most one row, and it is never run.
    """

    def analyze_both(
        schema: Sequence[SchemaFile], queries: Sequence[ParsedQuery], options: AnalyzeOptions
    ) -> tuple[Analysis, tuple[Diagnostic, ...]]:
        analysis, problems = analyze(schema, queries, options)
        paged = [
            (query, query.parsed.paging)
            for query in analysis.queries
            if query.parsed.paging and query.parsed.paging.keys
        ]
        if not paged:
            return analysis, problems
        probes = [
            _probe(query.parsed, probe, number)
            for query, paging in paged
            for number, probe in enumerate(paging.probes)
        ]
        # The probes have no tenant's rows to protect, and their mistakes are those of the query.
        found, _ = analyze(schema, probes, replace(options, tenant=None, strict=False))
        one = {item.parsed.name for item in found.queries if item.cardinality.at_most_one}
        more = [problem for query, paging in paged for problem in _problems(query, paging, one)]
        return analysis, (*problems, *more)

    return analyze_both


def _name(query: ParsedQuery, number: int) -> str:
    return f"{query.name} order {number}"


def _probe(query: ParsedQuery, probe: Variant, number: int) -> ParsedQuery:
    by_number = {param.number: param for param in query.params}
    params = tuple(
        Param(
            at,
            by_number[own].name,
            by_number[own].spans,
            by_number[own].nullable,
            by_number[own].is_slice,
            by_number[own].row,
        )
        for at, own in enumerate(probe.numbers, 1)
    )
    return replace(
        query,
        name=_name(query, number),
        command=Command.MANY,
        sql=probe.sql,
        source_map=probe.source_map,
        params=params,
        embeds=(),
        hints=(),
        dynamic=(),
        variants=(),
        paging=None,
    )


def _problems(query: TypedQuery, paging: Paging, one: set[str]) -> list[Diagnostic]:
    parsed = query.parsed
    found = [*_other_names(query, paging)]
    for key, column in zip(paging.keys, query.columns[-len(paging.keys) :], strict=True):
        label = Label(parsed.file, key.span, f"`{key.sql}`")
        if not key.nulls and not column.not_null:
            message = f"a sort key of `{parsed.name}` may be NULL, which a cursor cannot compare"
            hint = "add NULLS FIRST or NULLS LAST (PostgreSQL), or sort by `coalesce(…)`"
            found.append(Diagnostic("E392", message, (label,), hint))
        if not _is_held(column):
            message = f"a cursor cannot contain a value of the type `{column.type.name}`"
            hint = "cast the sort key, for example to text or to a number"
            found.append(Diagnostic("E392", message, (label,), hint))
        elif (column.longest or 0) > _SORTED:
            message = f"the server sorts only by the start of a sort key of `{parsed.name}`"
            hint = "sort by `LEFT(…, 255)`, or make the column shorter"
            found.append(Diagnostic("E392", message, (label,), hint))
    if found:
        return found
    if all(_name(parsed, number) in one for number, _ in enumerate(paging.probes)):
        return []
    return [
        Diagnostic(
            "E391",
            f"the order of `{parsed.name}` is not total: rows with equal sort keys can be lost",
            (
                Label(
                    parsed.file,
                    paging.keys[-1].span,
                    "two rows may have the same value of this key",
                ),
            ),
            "end ORDER BY with a unique column that is NOT NULL, such as `id`",
            Severity.ERROR,
        )
    ]


def _other_names(query: TypedQuery, paging: Paging) -> Iterator[Diagnostic]:
    """Yield an error for each sort key that may mean another output column than the parser said."""
    parsed = query.parsed
    columns = query.columns[: -paging.hidden]
    for output in paging.outputs:
        name = columns[output.position].name
        if ((name.lower() if output.folds else name) == output.name) != output.named:
            message = f"`{output.name}` in the ORDER BY of `{parsed.name}` may mean another column"
            label = Label(parsed.file, output.span, f"an output column has the name `{name}`")
            hint = "give the output column a name with AS, and sort by this name"
            yield Diagnostic("E390", message, (label,), hint)
            return


def _is_held(column: Column) -> bool:
    kind: SqlType = column.type
    while kind.kind is TypeKind.DOMAIN and kind.base:
        kind = kind.base
    if kind.array_dims:
        return False
    if kind.schema == "":
        return kind.name in _MYSQL
    return kind.kind is TypeKind.ENUM or kind.name in _POSTGRES
