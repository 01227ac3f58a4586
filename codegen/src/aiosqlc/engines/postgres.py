"""PostgreSQL: one server and its connections, started at the first call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
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
    from aiosqlc.postgres import Analyzer
    from aiosqlc.postgres.planning import Planner
    from aiosqlc.postgres.scratch import Scratch
    from aiosqlc.postgres.watch import ReleaseObserver
    from aiosqlc.servers.copies import Copies


class OnPostgres(Opened):
    """See `Engine`."""

    quote = '"'
    planned_on = "empty tables"
    embedded = True
    schemes = frozenset({"postgresql", "postgres"})

    @cached_property
    def scratch(self) -> Scratch:
        """Return the factory for temporary databases on the analyzer's server."""
        from aiosqlc.postgres.scratch import Scratch

        return Scratch(self.analyzer)

    @cached_property
    def observer(self) -> ReleaseObserver:
        """Return the object that runs migrations on the analyzer's server and observes locks."""
        from aiosqlc.postgres.watch import ReleaseObserver

        return ReleaseObserver(self.analyzer)

    @cached_property
    def planner(self) -> Planner:
        """Return the planner, which creates its databases on the private server."""
        from aiosqlc.postgres.planning import Planner

        return Planner(self.analyzer)

    @cached_property
    def analyzer(self) -> Analyzer:
        """Return the analyser with its server and connections. The server starts at first use."""
        from aiosqlc.postgres import Analyzer

        return self._stack.enter_context(Analyzer())

    def dumped(self, uri: str) -> str:
        """Return a database's schema as SQL."""
        from aiosqlc.servers.postgres.dump import dumped

        return dumped(uri)

    def lent(self, schema: Schema, shims: Schema, server: str) -> AbstractContextManager[Lent]:
        """Return a database on the embedded server."""
        del server
        return self.scratch.lent(schema, shims)

    def copies(self, template: str, *, file_copy: bool) -> Copies:
        """Return the object that copies the database at this URL."""
        from aiosqlc.servers.postgres.copies import Copies

        return Copies(template, file_copy=file_copy)

    def stored_rows(
        self, uri: str, at: ColumnRef, key: Sequence[str], most: int
    ) -> Iterator[tuple[tuple[str, ...], str]]:
        """For some rows, yield the values of the columns `key` and the JSON text in column `at`."""
        from aiosqlc.postgres.stored_rows import stored_rows

        return stored_rows(uri, at, key, most)

    def prepare(self, schema: Sequence[SchemaFile], options: AnalyzeOptions) -> None:
        """Start the private server and apply the schema. A user's server is not contacted here."""
        if not options.database_uri:
            self.analyzer.opened(schema, options)

    def analyze(
        self, schema: Sequence[SchemaFile], queries: Sequence[ParsedQuery], options: AnalyzeOptions
    ) -> tuple[Analysis, tuple[Diagnostic, ...]]:
        """Infer the types of the queries' columns and parameters."""
        return self.analyzer.analyze(schema, queries, options)

    def query_plan(
        self, schema: Schema, query: TypedQuery, options: AnalyzeOptions
    ) -> dict[str, Any] | None:
        """Return the generic query plan on empty tables, in the JSON format of EXPLAIN."""
        from aiosqlc.postgres.explain import query_plans

        return query_plans(self.analyzer, schema, (query,), options).get(query.parsed.name)

    def plan_lines(self, plan: dict[str, Any]) -> list[str]:
        """Return the plan as text."""
        from aiosqlc.messages.explained import query_plan_lines

        return list(query_plan_lines(plan["Plan"], 0))

    def full_scans(
        self, schema: Schema, queries: tuple[TypedQuery, ...], options: AnalyzeOptions
    ) -> Mapping[str, Sequence[str]]:
        """Map each query's name to the tables that it scans because no index is usable."""
        from aiosqlc.postgres.explain import full_scans, query_plans

        opened = self.analyzer.opened(schema, options)
        if opened is None:
            return {}
        plans = query_plans(self.analyzer, schema, queries, options)
        return {name: full_scans(plan, opened[1]) for name, plan in plans.items()}

    def unproved(
        self, schema: Schema, options: AnalyzeOptions, pairs: Sequence[tuple[str, str, str]]
    ) -> Mapping[str, str]:
        """Return, by query name, the reason why two SQL texts are not proved equivalent."""
        from aiosqlc.postgres.same_tree import unproved

        return unproved(self.analyzer, schema, options, pairs)

    def sample(self, schema: Schema, query: TypedQuery, options: AnalyzeOptions) -> list[str]:
        """Run a query on generated rows and return the result."""
        from aiosqlc.postgres.sample import sample

        return sample(self.analyzer, schema, query, options)

    def signatures(
        self, schema: Schema, options: AnalyzeOptions, name: str
    ) -> list[tuple[str, str]]:
        """Return the server's functions with this name."""
        from aiosqlc.postgres.signatures import signatures

        return signatures(self.analyzer, schema, options, name)

    def needs(
        self,
        schema: Schema,
        catalog: Catalog,
        options: AnalyzeOptions,
        own: Sequence[str],
        borrowed: Sequence[str],
    ) -> Needs:
        """Return the privileges that SQL statements need."""
        from aiosqlc.analysis.grants import Needs
        from aiosqlc.postgres.rights import needs

        del catalog
        opened = self.analyzer.opened(schema, options)
        if opened is None:
            return Needs(unknown=("the schema has errors",))
        return needs(*opened, own, borrowed)

    def recipes(self, schema: Schema, options: AnalyzeOptions) -> Recipes:
        """Return for each table a row that the server has accepted."""
        return self.scratch.recipes(schema, options)

    def policies(
        self, schema: Schema, options: AnalyzeOptions, tenant: Tenant, setting: str
    ) -> Policies | None:
        """Return the row-level security policies of a schema, or None if the schema has errors."""
        from aiosqlc.postgres.policies import policies

        opened = self.analyzer.opened(schema, options)
        return policies(opened[1], tenant, setting) if opened else None
