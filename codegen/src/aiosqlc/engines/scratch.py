"""Protocols for temporary databases and for trial runs of queries in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from random import Random
from typing import Protocol

from aiosqlc.analysis.recipes import Recipes
from aiosqlc.diagnostics import Diagnostic
from aiosqlc.ir import AnalyzeOptions, SchemaFile, TypedQuery

Schema = Sequence[SchemaFile]


class Answer(Protocol):
    """The server's response to one execution of a query."""

    @property
    def refusal(self) -> str:
        """Return the server's error message, or an empty string after a success."""
        ...

    @property
    def key_taken(self) -> bool:
        """Return whether the server refused a row because another row has the same unique key."""
        ...

    @property
    def rows(self) -> int:
        """Return the number of rows."""
        ...

    @property
    def columns(self) -> int:
        """Return the number of columns."""
        ...

    @property
    def touched(self) -> bool:
        """Return whether the query returned or wrote at least one row."""
        ...

    def null_row(self, column: int) -> int | None:
        """Return the number of the first row in which a column is NULL."""
        ...

    def row(self, number: int) -> str:
        """Return the row with this number as text."""
        ...

    def value(self, row: int, column: int) -> bytes | None:
        """Return a value as the server sends it, or None for NULL."""
        ...


class Trial(Protocol):
    """An SQL text of a query, with values for the query's parameters."""

    @property
    def sql(self) -> str:
        """Return the text."""
        ...

    @property
    def values(self) -> Sequence[str | None]:
        """Return the values of the query's parameters, as text."""
        ...

    @property
    def arguments(self) -> str:
        """Return the values with the parameters' names for display, or an empty string."""
        ...


class Rows(Protocol):
    """A database with random rows."""

    @property
    def address(self) -> str:
        """Return the connection string."""
        ...

    @property
    def random(self) -> Random:
        """Return the random number generator."""
        ...

    @property
    def empty(self) -> Sequence[str]:
        """Return the tables that are empty because every INSERT into them failed."""
        ...

    def undone(self) -> AbstractContextManager[None]:
        """Return a transaction that is rolled back at its end.

        A statement may run for at most two seconds.
        """
        ...

    def kept(self) -> AbstractContextManager[None]:
        """Return a transaction that is committed at its end."""
        ...

    def fill(self, most: int) -> None:
        """Insert up to `most` rows into each table.

        Later calls of `draw` also use the inserted values.
        """
        ...

    def draw(self, query: TypedQuery) -> Trial:
        """Return the query with random arguments that its types and declared constraints allow."""
        ...

    def run(self, trials: Sequence[Trial]) -> Iterator[Answer]:
        """Run trials on the same rows; each trial is rolled back before the next.

        Call this method inside `undone()` or `kept()`.
        """
        ...


class States(Protocol):
    """One database per schema state of a release; migrations convert the previous state's rows."""

    @property
    def rows(self) -> Sequence[Rows]:
        """Return one database per schema state, or no database if a migration fails."""
        ...

    @property
    def failed(self) -> Mapping[int, tuple[Diagnostic, ...]]:
        """Return the errors of migrations that fail on existing rows, by the state's number."""
        ...

    def obstacles(self, home: int, there: int) -> Mapping[str, Sequence[str]]:
        """Map each table to constraints of state `there` that rows of state `home` may violate."""
        ...


class Lent(Protocol):
    """A temporary database that another program can connect to."""

    @property
    def url(self) -> str:
        """Return the connection URL for drivers."""
        ...

    @property
    def problems(self) -> Sequence[Diagnostic]:
        """Return the diagnostics of the schema."""
        ...

    @property
    def complete(self) -> bool:
        """Return whether every statement of the schema was applied."""
        ...


class Scratch(Protocol):
    """Creates databases that are dropped when their context ends.

    Each method raises `NoServerError` if no server is available.
    """

    def rows(
        self, schema: Schema, options: AnalyzeOptions, texts: Sequence[str], seed: int
    ) -> AbstractContextManager[Rows]:
        """Return a database with the schema.

        The rows contain constants from the queries in `texts`.
        """
        ...

    def recipes(self, schema: Schema, options: AnalyzeOptions) -> Recipes:
        """Return, for each table, values for a row that the table's constraints accept.

        The rows that are inserted for this are rolled back.
        """
        ...

    def states(
        self, applied: Schema, pending: Schema, options: AnalyzeOptions, texts: Sequence[str]
    ) -> AbstractContextManager[States]:
        """Return a database per schema state: before the pending migrations, and after each one."""
        ...
