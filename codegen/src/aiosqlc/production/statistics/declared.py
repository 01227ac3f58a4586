"""The sizes of tables and the distributions of columns that the configuration declares."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from aiosqlc.analysis.planned.declared import Contradiction, Distribution
from aiosqlc.config.project import DeclaredColumn, Project, QuerySet
from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.ir import Catalog
from aiosqlc.messages.suggest import did_you_mean
from aiosqlc.source import SourceFile

_STORED = frozenset({"table", "partitioned", "matview"})


class Declared(Struct, frozen=True):
    """The declared numbers of rows by schema and table, and distributions by column.

    `written` are the declarations of columns in the configuration file `file`.
    """

    file: SourceFile
    rows: Mapping[tuple[str, str], int]
    columns: Mapping[tuple[str, str, str], Distribution]
    written: Mapping[tuple[str, str, str], DeclaredColumn]

    def placed(self, one: Contradiction) -> Diagnostic:
        """Return the error for contradictory declarations, which points into the configuration."""
        span = self.written[one.schema, one.table, one.column].span_of(one.key)
        return Diagnostic("E003", one.message, (Label(self.file, span),), one.hint)


def declared(
    project: Project, entry: QuerySet, catalog: Catalog
) -> tuple[Declared, tuple[Diagnostic, ...]]:
    """Return the declared values, and an error for each unknown table or column."""
    tables = [table for table in catalog.tables if table.kind in _STORED]
    known = {table.name: table for table in reversed(tables)}
    known |= {f"{table.schema}.{table.name}": table for table in tables}
    rows: dict[tuple[str, str], int] = {}
    columns: dict[tuple[str, str, str], Distribution] = {}
    written: dict[tuple[str, str, str], DeclaredColumn] = {}
    problems = []
    for one in entry.production.tables if entry.production else ():
        if one.name not in known:
            hint = did_you_mean(one.name, known, otherwise="name a table that the schema creates")
            label = Label(project.file, one.span)
            message = f"no table `{one.name}` in the schema"
            problems.append(Diagnostic("E003", message, (label,), hint))
            continue
        table = known[one.name]
        if one.rows is not None:
            rows[table.schema, table.name] = one.rows
        names = [column.name for column in table.columns]
        for column in one.columns:
            if column.name not in names:
                hint = did_you_mean(column.name, names, otherwise=f"known are {', '.join(names)}")
                label = Label(project.file, column.span)
                message = f"no column `{column.name}` in `{one.name}`"
                problems.append(Diagnostic("E003", message, (label,), hint))
                continue
            at = (table.schema, table.name, column.name)
            columns[at] = Distribution(column.values, column.distinct, column.nulls)
            written[at] = column
    return Declared(project.file, rows, columns, written), tuple(problems)
