"""The interface of databases that an engine makes for a while, and of queries tried in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from random import Random
from typing import Protocol

from aiosqlc.diagnostics import Diagnostic
from aiosqlc.ir import AnalyzeOptions, SchemaFile, TypedQuery

Schema = Sequence[SchemaFile]


class Answer(Protocol):
    """The server's answer to one execution of a query."""

    @property
    def refusal(self) -> str:
        """Return the server's message where it refused, else empty text."""
        ...

    @property
    def key_taken(self) -> bool:
        """Return whether it refused because a unique key exists."""
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
        """Return whether a row was returned or written."""
        ...

    def null_row(self, column: int) -> int | None:
        """Return the number of the first row in which a column is NULL."""
        ...

    def row(self, number: int) -> str:
        """Return a row as text."""
        ...


class Trial(Protocol):
    """One text of a query with values."""

    @property
    def sql(self) -> str:
        """Return the text."""
        ...

    @property
    def values(self) -> Sequence[str | None]:
        """Return the values of its parameters, as text."""
        ...

    @property
    def arguments(self) -> str:
        """Return the values with their names for people, or empty text."""
        ...


class Rows(Protocol):
    """A database with random rows."""

    @property
    def address(self) -> str:
        """Return the connection string."""
        ...

    @property
    def random(self) -> Random:
        """Return the source of random choices."""
        ...

    @property
    def empty(self) -> Sequence[str]:
        """Return the tables into which no row could be inserted so far."""
        ...

    def undone(self) -> AbstractContextManager[None]:
        """Return a transaction that is rolled back; a statement may take two seconds."""
        ...

    def kept(self) -> AbstractContextManager[None]:
        """Return a transaction that is committed."""
        ...

    def fill(self, most: int) -> None:
        """Insert up to `most` rows into each table; `draw` takes values from them, too."""
        ...

    def draw(self, query: TypedQuery) -> Trial:
        """Return a trial of a query with random arguments that its types and claims allow."""
        ...

    def run(self, trials: Sequence[Trial]) -> Iterator[Answer]:
        """Run trials on the same rows; each is undone before the next.

        Inside one of the transactions above.
        """
        ...


class States(Protocol):
    """The states of a schema, each with the rows of the one before, migrated with it."""

    @property
    def rows(self) -> Sequence[Rows]:
        """Return one database per state, or none if a migration fails."""
        ...

    @property
    def failed(self) -> Mapping[int, tuple[Diagnostic, ...]]:
        """Return the errors of a migration that fails on rows, by the number of its state."""
        ...

    def obstacles(self, home: int, there: int) -> Mapping[str, Sequence[str]]:
        """Return what may refuse rows in a state but not at home, by table."""
        ...


class Lent(Protocol):
    """A database for a program."""

    @property
    def url(self) -> str:
        """Return the URL for drivers."""
        ...

    @property
    def problems(self) -> Sequence[Diagnostic]:
        """Return the diagnostics of the schema."""
        ...

    @property
    def complete(self) -> bool:
        """Return whether the whole schema was applied."""
        ...


class Scratch(Protocol):
    """Makes databases that are dropped at the end of their context.

    Each method raises `NoServerError` where there is no server to ask.
    """

    def rows(
        self, schema: Schema, options: AnalyzeOptions, texts: Sequence[str], seed: int
    ) -> AbstractContextManager[Rows]:
        """Return a database with the schema; `texts` are queries whose constants are likely."""
        ...

    def states(
        self, applied: Schema, pending: Schema, options: AnalyzeOptions, texts: Sequence[str]
    ) -> AbstractContextManager[States]:
        """Return a filled database for each state: before the pending files and after each."""
        ...

    def lent(self, schema: Schema, shims: Schema) -> AbstractContextManager[Lent]:
        """Return a database on the embedded server."""
        ...
