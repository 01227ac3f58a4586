"""Tools for an assistant that writes queries: describe the schema, and check drafts.

Drafts are compiled on a temporary database server and never run. Only queries in the project's
files are run, on generated rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from aiosqlc.analysis.checks import check_commands, without_ignored
from aiosqlc.analysis.notified import check_channels, with_channels_apart
from aiosqlc.analysis.passes import in_passes
from aiosqlc.diagnostics import Diagnostic, Severity
from aiosqlc.engines import Engine
from aiosqlc.ir import Analysis, AnalyzeOptions, ParsedQuery, SchemaFile, Table, TypedQuery
from aiosqlc.messages.explained import query_lines, type_name
from aiosqlc.messages.render import render_all
from aiosqlc.parse.queries import parse_files
from aiosqlc.pipeline.analysed import Analysed, options_of
from aiosqlc.source import Dialect, SourceFile

DRAFT: Final = Path("draft.sql")
_LONGEST_DRAFT: Final = 20_000  # characters
_MOST_QUERIES: Final = 20  # of a draft


Advise = Callable[[Analysis, Sequence[SchemaFile], Dialect, Sequence[str]], list[Diagnostic]]
"""A linter: it takes an analysis, its schema files and rule names, and returns warnings."""


class AuthorError(Exception):
    """Raised if a tool cannot return a result. The message is shown to the assistant."""


class AuthorTool(Struct, frozen=True):
    """A tool: its description, a description per argument, and the function that it runs."""

    description: str
    arguments: Mapping[str, str]
    run: Callable[..., dict[str, Any]]

    @property
    def input_schema(self) -> dict[str, Any]:
        """Return the JSON Schema of the arguments, all of which are required strings."""
        return {
            "type": "object",
            "properties": {
                name: {"type": "string", "description": text, "maxLength": _LONGEST_DRAFT}
                for name, text in self.arguments.items()
            },
            "required": list(self.arguments),
            "additionalProperties": False,
        }


class Author:
    """The tools for one analysed configuration entry, with an engine that stays open."""

    def __init__(self, part: Analysed, engine: Engine, advise: Advise) -> None:
        self._part = part
        self._engine = engine
        self._advise = advise

    def tools(self) -> dict[str, AuthorTool]:
        """Return the tools by name."""
        query = {"name": "the name of a query of the project, such as GetUser"}
        return {
            "list_tables": AuthorTool("List the tables and views.", {}, self.list_tables),
            "describe_table": AuthorTool(
                "Describe a table: columns, types, NOT NULL, constraints, comments.",
                {"table": "the name of the table, with or without the schema"},
                self.describe_table,
            ),
            "list_queries": AuthorTool("List the project's queries.", {}, self.list_queries),
            "explain_query": AuthorTool(
                "Explain a query's inferred types, nullability and row count, with the reasons.",
                query,
                self.explain_query,
            ),
            "query_plan": AuthorTool("Show the execution plan of a query.", query, self.query_plan),
            "sample_rows": AuthorTool(
                "Run a query of the project on generated sample rows, on a temporary server.",
                query,
                self.sample_rows,
            ),
            "check_draft": AuthorTool(
                "Compile annotated SQL (`-- name: GetUser :one` above each statement) without"
                " running or saving the queries. Returns diagnostics, types and lint findings.",
                {"sql": "the text of a query file"},
                self.check_draft,
            ),
        }

    def list_tables(self) -> dict[str, Any]:
        """Return the names of tables and views with their kinds and comments."""
        tables = self._part.analysis.catalog.tables
        return {"tables": [_named(t) | {"kind": t.kind, "comment": t.comment} for t in tables]}

    def describe_table(self, table: str) -> dict[str, Any]:
        """Return the columns and constraints of each table that has this name."""
        found = [
            one
            for one in self._part.analysis.catalog.tables
            if table in {one.name, f"{one.schema}.{one.name}"}
        ]
        if not found:
            raise AuthorError(f"there is no table `{table}`")
        return {"tables": [_described(one) for one in found]}

    def list_queries(self) -> dict[str, Any]:
        """Return each query's name, command, file and comment."""
        return {
            "queries": [
                {
                    "name": query.parsed.name,
                    "command": query.parsed.command.value,
                    "file": query.parsed.file.path.as_posix(),
                    "comment": "\n".join(query.parsed.doc),
                }
                for query in self._part.analysis.queries
            ]
        }

    def explain_query(self, name: str) -> dict[str, Any]:
        """Return the text that `aiosqlc explain` prints about a query."""
        return {"text": "\n".join(query_lines(self._query(name)))}

    def query_plan(self, name: str) -> dict[str, Any]:
        """Return the database server's plan of a query as text."""
        query, part = self._query(name), self._part
        plan = self._engine.query_plan(part.inputs.schema, query, self._private())
        return {"text": "\n".join(self._engine.plan_lines(plan)) if plan else "no plan"}

    def sample_rows(self, name: str) -> dict[str, Any]:
        """Run one of the project's queries on generated rows and return the result as text."""
        query = self._query(name)
        lines = self._engine.sample(self._part.inputs.schema, query, self._private())
        return {"text": "\n".join(lines)}

    def check_draft(self, sql: str) -> dict[str, Any]:
        """Remove hints such as `-- column: total !` from a draft, and compile the draft.

        To test a not-null hint `!`, the compiler would have to run the draft.
        """
        if len(sql) > _LONGEST_DRAFT:
            raise AuthorError(f"a draft has at most {_LONGEST_DRAFT} characters")
        entry = self._part.entry
        parsed, problems = parse_files(
            [SourceFile(DRAFT, sql)], entry.engine, library=self._part.inputs.files
        )
        if len(parsed) > _MOST_QUERIES:
            raise AuthorError(f"a draft has at most {_MOST_QUERIES} queries")
        drafts = [_without_hints(query) for query in parsed]
        analyze = in_passes(self._engine.analyze, entry.engine)
        analysis, found = analyze(
            self._part.inputs.schema, drafts, options_of(entry, self._part.inputs.shims)
        )
        found = (
            *problems,
            *found,
            *check_commands(analysis.queries),
            *check_channels(analysis.queries),
        )
        analysis = with_channels_apart(analysis)
        errors = without_ignored(found, drafts)
        advice = without_ignored(
            [
                item
                for item in self._advise(
                    analysis, self._part.inputs.schema, entry.engine, entry.vet_rules
                )
                if any(label.file.path == DRAFT for label in item.labels)
            ],
            drafts,
        )
        return {
            "ok": not any(item.severity is Severity.ERROR for item in errors),
            "diagnostics": render_all([*errors, *advice]),
            "queries": [
                "\n".join(query_lines(query)) for query in (*analysis.queries, *analysis.channels)
            ],
        }

    def _query(self, name: str) -> TypedQuery:
        for query in self._part.analysis.queries:
            if query.parsed.name == name:
                return query
        raise AuthorError(f"there is no query `{name}`; call `list_queries` to list the queries")

    def _private(self) -> AnalyzeOptions:
        """Return the options for an analysis on a temporary server.

        Raise an error if the configuration names a database, which the tools must not use.
        """
        if self._part.entry.database_uri:
            raise AuthorError(
                "this tool does not use your database: remove `database.uri` from the configuration"
            )
        return options_of(self._part.entry, self._part.inputs.shims)


def _without_hints(query: ParsedQuery) -> ParsedQuery:
    return replace(query, hints=())


def _named(table: Table) -> dict[str, Any]:
    return {"schema": table.schema, "name": table.name}


def _described(table: Table) -> dict[str, Any]:
    return {
        **_named(table),
        "kind": table.kind,
        "comment": table.comment,
        "columns": [
            {
                "name": column.name,
                "type": type_name(column.type),
                "not_null": column.not_null,
                "has_default": column.has_default,
                "comment": column.comment,
            }
            for column in table.columns
        ],
        "constraints": [
            {"kind": one.kind, "name": one.name, "columns": list(one.columns)}
            for one in table.constraints
        ],
    }
