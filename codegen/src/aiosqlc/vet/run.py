"""Run every rule over an analysed project."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from aiosqlc.diagnostics import Diagnostic, Label, Severity
from aiosqlc.ir import Analysis, SchemaFile, Table, TypedQuery
from aiosqlc.parse.scanner import LEXES, Kind, scan, unquote
from aiosqlc.source import Dialect, Span
from aiosqlc.vet.proved import proved_findings
from aiosqlc.vet.queries import QUERY_RULES, Text, same_text
from aiosqlc.vet.rules import RULES
from aiosqlc.vet.tables import dimensioned, table_findings
from aiosqlc.vet.values import foreign_values


def vet(
    analysis: Analysis, schema: Sequence[SchemaFile], dialect: Dialect, wanted: Iterable[str] = ()
) -> list[Diagnostic]:
    """Return the findings of all rules; `wanted` limits them to the given codes."""
    found = [
        *_queries(analysis.queries, dialect),
        *_schema(analysis.catalog.tables, schema, dialect),
    ]
    codes = set(wanted) or set(RULES)
    return [finding for finding in found if finding.code in codes]


def _queries(queries: Sequence[TypedQuery], dialect: Dialect) -> Iterator[Diagnostic]:
    first: dict[object, TypedQuery] = {}
    for query in queries:
        text = Text(query, dialect)
        for rule in (*QUERY_RULES, proved_findings):
            for code, span in rule(text):
                yield _diagnostic(code, Label(query.parsed.file, span))
        other = first.setdefault(same_text(query), query)
        if other is not query:
            again = Label(query.parsed.file, query.parsed.name_span, "this one")
            before = Label(other.parsed.file, other.parsed.name_span, "and this one")
            yield _diagnostic("V010", again, before)


def _schema(
    tables: Sequence[Table], schema: Sequence[SchemaFile], dialect: Dialect
) -> Iterator[Diagnostic]:
    checked = dimensioned(file.sql for file in schema)
    for table in tables:
        for code, column in table_findings(table, checked):
            label = _where(table.name, column, schema, dialect)
            name = f"{table.name}.{column}" if column else table.name
            yield _diagnostic(code, *([label] if label else []), subject=name)
    for file in schema if LEXES[dialect].has_infinity else ():
        for span in file.statements:
            tokens = scan(file.sql[: span.end], dialect, span.start)
            for place in foreign_values([t for t in tokens if t.kind is not Kind.COMMENT]):
                yield _diagnostic("V024", Label(file.file, place))


def _where(table: str, column: str, schema: Sequence[SchemaFile], dialect: Dialect) -> Label | None:
    """Return the schema's first mention of a table, or the last mention of a table's column."""
    found: Label | None = None
    for file in schema:
        for span in file.statements:
            names = _names(file, span, dialect)
            if table.lower() not in names:
                continue
            at = names.get(column.lower()) if column else names[table.lower()]
            if at and (found is None or column):
                found = Label(file.file, at)
    return found


def _names(file: SchemaFile, span: Span, dialect: Dialect) -> dict[str, Span]:
    names: dict[str, Span] = {}
    for token in scan(file.sql[: span.end], dialect, span.start):
        if token.kind in {Kind.NAME, Kind.QUOTED}:
            names.setdefault(unquote(token).lower(), token.span)
    return names


def _diagnostic(code: str, *labels: Label, subject: str = "") -> Diagnostic:
    rule = RULES[code]
    message = f"{subject}: {rule.title}" if subject else rule.title
    return Diagnostic(code, message, labels, rule.fix, Severity.WARNING)
