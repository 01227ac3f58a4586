"""MySQL and MariaDB: each question has a connection of its own, and some need no server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from aiosqlc.analysed import Analysed
from aiosqlc.diagnostics import Diagnostic
from aiosqlc.engines.port import Opened, Schema
from aiosqlc.ir import Analysis, AnalyzeOptions, ParsedQuery, SchemaFile, TypedQuery

if TYPE_CHECKING:
    from aiosqlc.grants import Needs


class OnMysql(Opened):
    """See `Engine`."""

    quote = "`"
    planned_on = "a few sample rows"
    embedded = False
    analyzer = None

    def analyze(
        self, schema: Sequence[SchemaFile], queries: Sequence[ParsedQuery], options: AnalyzeOptions
    ) -> tuple[Analysis, tuple[Diagnostic, ...]]:
        """Type the queries."""
        from aiosqlc.mysql import analyze

        return analyze(schema, queries, options)

    def query_plan(
        self, schema: Schema, query: TypedQuery, options: AnalyzeOptions
    ) -> dict[str, Any] | None:
        """Return the rows of EXPLAIN, for a few rows made for it, as `rows`."""
        from aiosqlc.mysql.explain import query_plan

        rows = query_plan(schema, query, options)
        return {"rows": rows} if rows else None

    def plan_lines(self, plan: dict[str, Any]) -> list[str]:
        """Return that for people."""
        from aiosqlc.mysql.explain import query_plan_lines

        return query_plan_lines(plan["rows"])

    def full_scans(
        self, schema: Schema, queries: tuple[TypedQuery, ...], options: AnalyzeOptions
    ) -> Mapping[str, Sequence[str]]:
        """Report nothing: with few rows, MySQL reads any table completely."""
        del schema, queries, options
        return {}

    def unproved(
        self, schema: Schema, options: AnalyzeOptions, pairs: Sequence[tuple[str, str, str]]
    ) -> Mapping[str, str]:
        """Compare the parse trees of the texts, without a server."""
        from aiosqlc.mysql.same_tree import unproved

        del schema, options
        return unproved(pairs)

    def sample(self, schema: Schema, query: TypedQuery, options: AnalyzeOptions) -> list[str]:
        """Return a run of a query on rows made for it."""
        from aiosqlc.mysql.sample import sample

        return sample(schema, query, options)

    def signatures(
        self, schema: Schema, options: AnalyzeOptions, name: str
    ) -> list[tuple[str, str]]:
        """Return the server's functions of one name."""
        from aiosqlc.mysql.signatures import signatures

        return signatures(schema, options, name)

    def needs(self, part: Analysed, own: Sequence[str], borrowed: Sequence[str]) -> Needs:
        """Return the rights that texts need."""
        from aiosqlc.mysql.rights import needs

        return needs(part.analysis.catalog.tables, own, borrowed)
