"""The interface of an engine that plans queries as the production server would plan them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from types import MappingProxyType
from typing import Protocol

from aiosqlc.analysis.planned.declared import Distribution
from aiosqlc.analysis.planned.facts import Index, Reference
from aiosqlc.analysis.planned.plan import Plan
from aiosqlc.analysis.planned.pulled import Pulled
from aiosqlc.analysis.planned.statistics import Statistics
from aiosqlc.ir import AnalyzeOptions, SchemaFile


class PlannedDatabase(Protocol):
    """An empty database whose planner uses another database's statistics, such as production's."""

    @property
    def notes(self) -> Sequence[str]:
        """Return sentences about statistics that were not used, with the reasons."""
        ...

    @property
    def statistics(self) -> Statistics | None:
        """Return the statistics that the planner uses, or None if it uses no statistics."""
        ...

    @property
    def indexes(self) -> Sequence[Index]:
        """Return the indexes that the schema creates; proposed indexes are not included."""
        ...

    @property
    def references(self) -> Sequence[Reference]:
        """Return the foreign keys of the schema."""
        ...

    @property
    def tried(self) -> Mapping[str, str]:
        """Map each proposed index that was created, such as `orders (status)`, to its name."""
        ...

    def trying(self, tried: Sequence[str]) -> AbstractContextManager[PlannedDatabase]:
        """Return a second database, which also has the indexes of `tried`.

        An item of `tried` has the form `orders (status, created_at)`. An index that the server
        refuses is left out. The first database must have statistics, and remains usable.
        """
        ...

    def plan(
        self, sql: str, *, using: Collection[str] = (), without: Collection[str] = ()
    ) -> Plan | None:
        """Return the generic plan of an SQL text, or None if the server cannot plan the text.

        `using` are names of indexes in `tried`, and `without` are names of indexes that the planner
        must not use.
        """
        ...


class Planner(Protocol):
    """Creates databases in which queries are planned. They are dropped when their context ends."""

    def database(
        self,
        schema: Sequence[SchemaFile],
        options: AnalyzeOptions,
        statistics: Statistics | None,
    ) -> AbstractContextManager[PlannedDatabase]:
        """Return a database with the schema and the statistics, on the private server.

        Without statistics, the tables are empty, and a plan uses an index whenever one is usable.
        Raises `SchemaFailsError` if the schema has errors, and `NoServerError` if no server is
        available.
        """
        ...

    def pulled(
        self, uri: str, schema: Sequence[SchemaFile], options: AnalyzeOptions, *, values: bool
    ) -> Pulled:
        """Read the statistics of the schema's tables from the database `uri`, without writes.

        If `values` is true, the most common values and the bounds of histograms are read too; these
        are values of rows. Raises `PullError` if the statistics cannot be read, `SchemaFailsError`
        if the schema has errors, and `NoServerError` if no server is available.
        """
        ...

    def synthesised(
        self,
        schema: Sequence[SchemaFile],
        options: AnalyzeOptions,
        rows: Mapping[tuple[str, str], int],
        columns: Mapping[tuple[str, str, str], Distribution] = MappingProxyType({}),
    ) -> Pulled:
        """Return statistics derived from the schema and from a given number of rows per table.

        `rows` has the numbers by schema and table, and `columns` has distributions by schema, table
        and column. Raises `ContradictionsError` if a distribution is impossible, `SchemaFailsError`
        if the schema has errors, and `NoServerError` if no server is available.
        """
        ...
