"""The statistics of the production database, with tables named as in query plans."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from msgspec import Struct

from aiosqlc.analysis.planned.statistics import Statistics

_ORDERED = 0.95  # correlation of a column with the order on the disk
Values = Mapping[tuple[str, str], Mapping[str, str]]


class Facts(Struct, frozen=True, dict=True):
    """Statistics by table, and by table and column.

    `rows` has the number of rows of each table. `distinct` has the number of distinct values of
    each column, and `values` has all statistics of each column.
    """

    rows: Mapping[str, float]
    distinct: Mapping[tuple[str, str], float]
    values: Values

    @cached_property
    def ordered(self) -> frozenset[tuple[str, str]]:
        """Return the columns in whose order the rows of their table are stored."""
        return frozenset(
            place
            for place, values in self.values.items()
            if abs(float(values.get("correlation", "0"))) >= _ORDERED
        )


def facts_of(statistics: Statistics) -> Facts:
    """Convert statistics to mappings whose keys are table names as in query plans."""
    rows = {_named(item.schema, item.name): item.rows for item in statistics.relations}
    distinct = {}
    values: dict[tuple[str, str], Mapping[str, str]] = {}
    for item in statistics.columns:
        table = _named(item.schema, item.relation)
        mine = dict(item.values)
        if not item.inherited or (table, item.column) not in values:
            values[table, item.column] = mine
        share = float(mine.get("n_distinct", "-1"))
        distinct[table, item.column] = share if share > 0 else -share * max(rows[table], 0.0)
    return Facts(rows, distinct, values)


def _named(schema: str, name: str) -> str:
    return name if schema == "public" else f"{schema}.{name}"
