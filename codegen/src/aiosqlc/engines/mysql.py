"""MySQL and MariaDB: each call opens its own connection, and some calls need no server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from aiosqlc.diagnostics import Diagnostic
from aiosqlc.engines.port import Opened, Schema
from aiosqlc.engines.scratch import Lent
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
    from aiosqlc.mysql.watch import ReleaseObserver
    from aiosqlc.servers.copies import Copies


class OnMysql(Opened):
    """See `Engine`."""

    quote = "`"
    planned_on = "a few sample rows"
    embedded = False
    schemes = frozenset({"mysql", "mariadb"})
    scratch = None
    planner = None

    @property
    def observer(self) -> ReleaseObserver:
        """Return the object that runs migrations and observes their locks."""
        from aiosqlc.mysql.watch import ReleaseObserver

        return ReleaseObserver()

    def dumped(self, uri: str) -> str:
        """Raise `NoServerError`: the compiler has no program that dumps a MySQL schema."""
        from aiosqlc.servers.private import NoServerError

        del uri
        raise NoServerError("the compiler cannot read a schema from a MySQL server")

    def lent(self, schema: Schema, shims: Schema, server: str) -> AbstractContextManager[Lent]:
        """Return a database on a new private server."""
        from aiosqlc.mysql.lending import lent

        del shims
        return lent(schema, server)

    def copies(self, template: str, *, file_copy: bool) -> Copies:
        """Return the object that copies the database at this URL."""
        from aiosqlc.servers.mysql.copies import Copies

        del file_copy
        return Copies(template)

    def stored_rows(
        self, uri: str, at: ColumnRef, key: Sequence[str], most: int
    ) -> Iterator[tuple[tuple[str, ...], str]]:
        """For some rows, yield the values of the columns `key` and the JSON text in column `at`."""
        from aiosqlc.mysql.stored_rows import stored_rows

        return stored_rows(uri, at, key, most)

    def prepare(self, schema: Sequence[SchemaFile], options: AnalyzeOptions) -> None:
        """Import the analyser in advance, because the import is slow."""
        from aiosqlc.mysql import analyze

        del analyze, schema, options

    def analyze(
        self, schema: Sequence[SchemaFile], queries: Sequence[ParsedQuery], options: AnalyzeOptions
    ) -> tuple[Analysis, tuple[Diagnostic, ...]]:
        """Infer the types of the queries' columns and parameters."""
        from aiosqlc.mysql import analyze

        return analyze(schema, queries, options)

    def query_plan(
        self, schema: Schema, query: TypedQuery, options: AnalyzeOptions
    ) -> dict[str, Any] | None:
        """Return EXPLAIN's rows under the key `rows`; the tables contain a few generated rows."""
        from aiosqlc.mysql.explain import query_plan

        rows = query_plan(schema, query, options)
        return {"rows": rows} if rows else None

    def plan_lines(self, plan: dict[str, Any]) -> list[str]:
        """Return the plan as text."""
        from aiosqlc.mysql.explain import query_plan_lines

        return query_plan_lines(plan["rows"])

    def full_scans(
        self, schema: Schema, queries: tuple[TypedQuery, ...], options: AnalyzeOptions
    ) -> Mapping[str, Sequence[str]]:
        """Return no findings, because MySQL scans tables with few rows completely."""
        del schema, queries, options
        return {}

    def unproved(
        self, schema: Schema, options: AnalyzeOptions, pairs: Sequence[tuple[str, str, str]]
    ) -> Mapping[str, str]:
        """Compare the parse trees of each pair of SQL texts, without a server."""
        from aiosqlc.mysql.same_tree import unproved

        del schema, options
        return unproved(pairs)

    def sample(self, schema: Schema, query: TypedQuery, options: AnalyzeOptions) -> list[str]:
        """Run a query on generated rows and return the result."""
        from aiosqlc.mysql.sample import sample

        return sample(schema, query, options)

    def signatures(
        self, schema: Schema, options: AnalyzeOptions, name: str
    ) -> list[tuple[str, str]]:
        """Return the server's functions with this name."""
        from aiosqlc.mysql.signatures import signatures

        return signatures(schema, options, name)

    def needs(
        self,
        schema: Schema,
        catalog: Catalog,
        options: AnalyzeOptions,
        own: Sequence[str],
        borrowed: Sequence[str],
    ) -> Needs:
        """Return the privileges that SQL statements need."""
        from aiosqlc.mysql.rights import needs

        del schema, options
        return needs(catalog.tables, own, borrowed)

    def recipes(self, schema: Schema, options: AnalyzeOptions) -> Recipes:
        """Return for each table a row that the server has accepted."""
        from aiosqlc.mysql.recipes import recipes_of

        return recipes_of(schema, options)

    def policies(
        self, schema: Schema, options: AnalyzeOptions, tenant: Tenant, setting: str
    ) -> Policies | None:
        """Return None, because MySQL has no row-level security."""
        del schema, options, tenant, setting
        return None
