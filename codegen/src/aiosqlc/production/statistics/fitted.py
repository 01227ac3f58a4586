"""Adapt production's statistics to a schema with migrations that production does not have yet."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from aiosqlc.analysis.planned.statistics import Statistics
from aiosqlc.ir import Catalog, SchemaFile
from aiosqlc.production.statistics.file import StatisticsError
from aiosqlc.schema.history import history_of
from aiosqlc.source import Dialect


def fitted(statistics: Statistics, schema: Sequence[SchemaFile], catalog: Catalog) -> Statistics:
    """Return statistics with the table and column names of the current schema.

    A renamed table or column keeps its statistics. Raises `StatisticsError` if the statistics
    contain no table of the schema.
    """
    tables = _tables(catalog)
    renamed = _renamed(statistics, schema, tables)
    if tables and not set(renamed.sizes) & set(tables):
        raise StatisticsError(
            "the statistics have no table of this schema: they come from another database"
        )
    return renamed


def missing(statistics: Statistics, catalog: Catalog) -> tuple[str, ...]:
    """Return notes about tables and columns that have no statistics.

    For a table without statistics, the planner assumes ten pages. For a column without statistics,
    it assumes 200 distinct values and no NULL.
    """
    tables = _tables(catalog)
    known = statistics.sizes
    new = [name for of, name in tables if (of, name) not in known]
    notes = [f"no statistics, so the planner assumes a table of ten pages: {name}" for name in new]
    there = {(item.schema, item.relation, item.column) for item in statistics.columns}
    for (of, name), columns in sorted(tables.items()):
        lacks = [column for column in sorted(columns) if (of, name, column) not in there]
        if (of, name) in known and known[of, name].rows > 0 and lacks:
            columns_of = f"{name}.{f', {name}.'.join(lacks)}"
            notes.append(f"no statistics, so the planner uses its defaults: {columns_of}")
    return tuple(notes)


def _tables(catalog: Catalog) -> dict[tuple[str, str], set[str]]:
    """Return the columns of each relation that can have statistics, by schema and name."""
    return {
        (table.schema, table.name): {column.name for column in table.columns}
        for table in catalog.tables
        if table.kind in {"table", "partitioned", "matview"}
    }


def _renamed(
    statistics: Statistics,
    schema: Sequence[SchemaFile],
    tables: dict[tuple[str, str], set[str]],
) -> Statistics:
    """Return statistics with the current names of objects that migrations rename."""
    history = history_of(schema, Dialect.POSTGRESQL)
    present = set(statistics.sizes)

    def relation(of: str, name: str) -> str:
        past = history.relation(name) if (of, name) not in tables else None
        now = past.now if past else ""
        return now if (of, now) in tables and (of, now) not in present else name

    def column(of: str, name: str, column: str) -> str:
        columns = tables.get((of, name), set())
        past = history.columns.get((name.lower(), column.lower()))
        while column not in columns and past and past.now:
            column, past = past.now, history.columns.get((name.lower(), past.now.lower()))
        return column

    sizes = tuple(
        replace(item, name=relation(item.schema, item.name)) for item in statistics.relations
    )
    columns = []
    for item in statistics.columns:
        name = relation(item.schema, item.relation)
        columns.append(replace(item, relation=name, column=column(item.schema, name, item.column)))
    return replace(statistics, relations=sizes, columns=tuple(columns))
