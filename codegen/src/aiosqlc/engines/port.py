"""The interface of an engine. The engine's server runs as long as the engine is open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import TYPE_CHECKING, Any, Protocol, Self

from aiosqlc.diagnostics import Diagnostic
from aiosqlc.engines.planner import Planner
from aiosqlc.engines.scratch import Lent, Scratch
from aiosqlc.engines.watch import ReleaseObserver
from aiosqlc.ir import (
    Analysis,
    AnalyzeOptions,
    Catalog,
    ColumnRef,
    ParsedQuery,
    SchemaFile,
    Tenant,
    TypedQuery,
)

if TYPE_CHECKING:
    from aiosqlc.analysis.grants import Needs
    from aiosqlc.analysis.policies import Policies
    from aiosqlc.analysis.recipes import Recipes
    from aiosqlc.servers.copies import Copies

Schema = tuple[SchemaFile, ...]


class Engine(Protocol):
    """An engine, whose server starts and whose libraries load when a call needs them first.

    `quote` is the quotation mark of identifiers. `planned_on` says on which data queries are
    planned. `embedded` means that the compiler includes the engine's programs, so that it can start
    a server and dump a schema. `schemes` are the schemes of the engine's database URIs. A method
    raises `ModuleNotFoundError` if the engine's driver is not installed.
    """

    quote: str
    planned_on: str
    embedded: bool
    schemes: frozenset[str]

    @property
    def scratch(self) -> Scratch | None:
        """Return the factory for temporary databases, or None if this engine has none."""
        ...

    @property
    def observer(self) -> ReleaseObserver:
        """Return the object that runs migrations and observes their locks."""
        ...

    @property
    def planner(self) -> Planner | None:
        """Return the planner that uses a production database's statistics.

        Return None if the engine does not support production statistics.
        """
        ...

    def dumped(self, uri: str) -> str:
        """Return a database's schema as SQL. Raise `NoServerError` if the schema cannot be read."""
        ...

    def lent(self, schema: Schema, shims: Schema, server: str) -> AbstractContextManager[Lent]:
        """Return a database with the schema on a private server, for another program.

        `server` is `mysql` or `mariadb` if the configuration requires one of the two.
        Raise `NoServerError` if no server can be started.
        """
        ...

    def copies(self, template: str, *, file_copy: bool) -> Copies:
        """Return the object that copies the database at this URL for tests.

        With `file_copy`, PostgreSQL copies the files of the database.
        """
        ...

    def stored_rows(
        self, uri: str, at: ColumnRef, key: Sequence[str], most: int
    ) -> Iterator[tuple[tuple[str, ...], str]]:
        """For up to `most` rows, yield the values of the columns `key` and the JSON in column `at`.

        Raise `RefusedError` if the server does not return the column, and `NoServerError` if the
        database cannot be reached.
        """
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def prepare(self, schema: Sequence[SchemaFile], options: AnalyzeOptions) -> None:
        """Begin the part of `analyze` that does not need queries. Callers ignore exceptions."""
        ...

    def analyze(
        self, schema: Sequence[SchemaFile], queries: Sequence[ParsedQuery], options: AnalyzeOptions
    ) -> tuple[Analysis, tuple[Diagnostic, ...]]:
        """Infer the types of the queries' columns and parameters."""
        ...

    def query_plan(
        self, schema: Schema, query: TypedQuery, options: AnalyzeOptions
    ) -> dict[str, Any] | None:
        """Return the server's query plan as a dictionary."""
        ...

    def plan_lines(self, plan: dict[str, Any]) -> list[str]:
        """Return a query plan as text."""
        ...

    def full_scans(
        self, schema: Schema, queries: tuple[TypedQuery, ...], options: AnalyzeOptions
    ) -> Mapping[str, Sequence[str]]:
        """Map each query's name to the tables that it scans because no index is usable."""
        ...

    def unproved(
        self, schema: Schema, options: AnalyzeOptions, pairs: Sequence[tuple[str, str, str]]
    ) -> Mapping[str, str]:
        """Return, by query name, the reason why two SQL texts are not proved equivalent."""
        ...

    def sample(self, schema: Schema, query: TypedQuery, options: AnalyzeOptions) -> list[str]:
        """Run a query on generated rows and return the result as lines."""
        ...

    def signatures(
        self, schema: Schema, options: AnalyzeOptions, name: str
    ) -> list[tuple[str, str]]:
        """Return the server's functions with this name, with their signatures."""
        ...

    def needs(
        self,
        schema: Schema,
        catalog: Catalog,
        options: AnalyzeOptions,
        own: Sequence[str],
        borrowed: Sequence[str],
    ) -> Needs:
        """Return the privileges that SQL statements need on the objects of the catalog."""
        ...

    def recipes(self, schema: Schema, options: AnalyzeOptions) -> Recipes:
        """Return for each table a row that its constraints accept."""
        ...

    def policies(
        self, schema: Schema, options: AnalyzeOptions, tenant: Tenant, setting: str
    ) -> Policies | None:
        """Return the row-level security policies of a schema, or None if the schema has errors."""
        ...


class Opened:
    """An open engine, which closes at the end of its context."""

    def __init__(self) -> None:
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
