"""The numbers of rows per table that the configuration declares."""

from __future__ import annotations

from collections.abc import Mapping

from aiosqlc.config.project import Project, QuerySet
from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.ir import Catalog
from aiosqlc.messages.suggest import did_you_mean

_STORED = frozenset({"table", "partitioned", "matview"})


def declared_rows(
    project: Project, entry: QuerySet, catalog: Catalog
) -> tuple[Mapping[tuple[str, str], int], tuple[Diagnostic, ...]]:
    """Return declared numbers of rows by schema and name, and an error for each unknown table."""
    tables = [table for table in catalog.tables if table.kind in _STORED]
    known = {table.name: (table.schema, table.name) for table in reversed(tables)}
    known |= {f"{table.schema}.{table.name}": (table.schema, table.name) for table in tables}
    rows: dict[tuple[str, str], int] = {}
    problems = []
    for name, count, span in entry.production.tables if entry.production else ():
        if name in known:
            rows[known[name]] = count
            continue
        hint = did_you_mean(name, known, otherwise="name a table that the schema creates")
        label = Label(project.file, span)
        problems.append(Diagnostic("E003", f"no table `{name}` in the schema", (label,), hint))
    return rows, tuple(problems)
