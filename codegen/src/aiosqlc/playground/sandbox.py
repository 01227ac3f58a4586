"""Compiles what a page sends, on a server and as roles that can do no harm.

The schema runs as one role and the queries are prepared, never run, by another that is read-only.
Neither is superuser or member of any role, so that the server refuses files, programs, the network
and extensions. What a role may set itself is no limit: time is kept from outside, memory and the
size of files by the kernel. Each compilation has a database of its own, dropped afterwards.
"""

from __future__ import annotations

import contextlib
import json
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from psycopg.conninfo import make_conninfo

from aiosqlc.analysed import Analysed
from aiosqlc.config.load import load_project
from aiosqlc.config.project import ModelKind
from aiosqlc.diagnostics import Diagnostic
from aiosqlc.emit.format import format_together
from aiosqlc.ir import Analysis, AnalyzeOptions, Catalog, ParsedQuery, SchemaFile
from aiosqlc.messages.explained import query_lines
from aiosqlc.messages.render import render_all
from aiosqlc.pipeline import analyze_project, compile_parts
from aiosqlc.postgres.analyze import Analyzer
from aiosqlc.postgres.explain import query_plans
from aiosqlc.postgres.schema import apply_schema
from aiosqlc.servers.postgres.connection import Connection, ConnectionFailedError
from aiosqlc.servers.postgres.databases import new_database
from aiosqlc.servers.postgres.embedded import Server, embedded_server
from aiosqlc.servers.private import Limits, cache_folder

MODELS = tuple(kind.value for kind in ModelKind)
_LIMITS = Limits(memory=768 * 1024**2, file=128 * 1024**2)
_SECONDS = 5.0
_WRITER, _READER = "playground_writer", "playground_reader"
_ROLE = "login nosuperuser nocreatedb nocreaterole noreplication noinherit"
_CONFIG = """\
version: "2"
sql:
  - engine: postgresql
    schema: schema.sql
    queries: queries.sql
    gen:
      python: {out: store, models: %s}
"""
# The schema's owner lets the other role plan every statement; it can run none that writes.
_GRANTS = f"""
grant all on all tables in schema public to {_READER};
grant all on all sequences in schema public to {_READER}
"""
_END = f"""
select pg_terminate_backend(pid) from pg_stat_activity
where usename in ('{_WRITER}', '{_READER}')
"""  # noqa: S608 - our own names


@dataclass(frozen=True, slots=True)
class Answer:
    """What the page shows."""

    files: dict[str, str] = field(default_factory=dict)
    problems: str = ""
    reasons: str = ""
    plan: str = ""


class Sandbox:
    """A server for pages; a context manager. One compilation at a time."""

    def __init__(self, seconds: float = _SECONDS) -> None:
        self._stack = contextlib.ExitStack()
        self._turn = threading.Lock()
        self._seconds = seconds
        self._server: Server | None = None

    def __enter__(self) -> Self:
        cache = cache_folder() / "playground"
        self._server = self._stack.enter_context(embedded_server(cache, limits=_LIMITS))
        with Connection(self._server.admin) as admin:
            for role in (_WRITER, _READER):
                admin.run(f"create role {role}")
                _must(admin, f"alter role {role} {_ROLE}")
            _must(admin, "revoke all on database postgres, template1 from public")
        return self

    def __exit__(self, *_exc: object) -> None:
        self._stack.close()

    def compile(self, schema: str, queries: str, models: str) -> Answer:
        """Compile two files. Raises `TimeoutError` where others are compiling for too long."""
        if not self._turn.acquire(timeout=2 * self._seconds):
            raise TimeoutError("the playground is busy")
        try:
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                (folder / "sqlc.yaml").write_text(_CONFIG % ModelKind(models).value, "utf-8")
                (folder / "schema.sql").write_text(schema, "utf-8")
                (folder / "queries.sql").write_text(queries, "utf-8")
                return self._compile(folder)
        finally:
            self._turn.release()

    def _compile(self, folder: Path) -> Answer:
        assert self._server is not None  # noqa: S101  # entered
        server = self._server
        project, problems = load_project(folder / "sqlc.yaml", environ={})
        assert project is not None  # noqa: S101  # the configuration is ours
        with new_database(server) as draft:
            with Connection(draft.conninfo) as admin:
                for sql in _rights(draft.name):
                    _must(admin, sql)
            with _deadline(server, self._seconds) as late, Analyzer() as analyzer:
                judge = _Judge(analyzer, draft.conninfo)
                parts = list(analyze_project(project, judge, reuse=False))
                compiled = compile_parts(project, parts)
                files = format_together(compiled.files, compiled.near)
                query_plans = judge.query_plans(parts)
            if late.is_set():
                return Answer(problems=f"stopped after {self._seconds:g} seconds\n")
        shown = render_all([*problems, *compiled.diagnostics])
        reasons = [
            "\n".join(query_lines(query)) for part in parts for query in part.analysis.queries
        ]
        return Answer(
            {} if compiled.failed else {file.path.name: file.text for file in files},
            shown,
            "\n\n".join(reasons),
            query_plans,
        )


def _rights(database: str) -> Iterator[str]:
    """Yield what lets a role work in one schema of a database, and nowhere else."""
    yield f'revoke all on database "{database}" from public'
    yield f'grant connect on database "{database}" to {_WRITER}, {_READER}'
    yield "revoke all on schema public from public"
    yield f"grant usage, create on schema public to {_WRITER}"
    yield f"grant usage on schema public to {_READER}"
    for role in (_WRITER, _READER):
        yield f"alter role {role} reset all"  # it may have set something for itself
    yield f"alter role {_READER} set default_transaction_read_only = on"


class _Judge:
    """Analyses queries on a database that holds nothing but their schema."""

    def __init__(self, analyzer: Analyzer, database: str) -> None:
        self._analyzer = analyzer
        self._writer = make_conninfo(database, user=_WRITER)
        self._reader = make_conninfo(database, user=_READER)

    def __call__(
        self, schema: Sequence[SchemaFile], queries: Sequence[ParsedQuery], options: AnalyzeOptions
    ) -> tuple[Analysis, tuple[Diagnostic, ...]]:
        try:
            with Connection(self._writer) as connection:
                applied = apply_schema(connection, schema, (), own_server=False)
                connection.run(_GRANTS)
        except ConnectionFailedError as error:
            return Analysis(Catalog()), (Diagnostic("E210", f"the server ended this: {error}"),)
        if applied.failures:
            failed = tuple(failure.problem for failure in applied.failures)
            return Analysis(Catalog()), (*applied.notes, *failed)
        analysis, problems = self._analyzer.analyze((), queries, self._here(options))
        return analysis, (*applied.notes, *problems)

    def _here(self, options: AnalyzeOptions) -> AnalyzeOptions:
        return replace(options, database_uri=self._reader)

    def query_plans(self, parts: Sequence[Analysed]) -> str:
        """Return the plan of each query as the server prints it."""
        found: dict[str, dict[str, Any]] = {}
        for part in parts:
            queries = part.analysis.queries
            with contextlib.suppress(ConnectionFailedError):
                found |= query_plans(self._analyzer, (), queries, self._here(AnalyzeOptions()))
        return "\n\n".join(f"{name}\n{json.dumps(plan, indent=1)}" for name, plan in found.items())


@contextlib.contextmanager
def _deadline(server: Server, seconds: float) -> Iterator[threading.Event]:
    """End the roles' connections after some seconds: a role can lift limits of its own."""
    late = threading.Event()

    def end() -> None:
        late.set()
        while not done.is_set():  # whoever connects again is ended again
            with contextlib.suppress(ConnectionFailedError), Connection(server.admin) as admin:
                admin.run(_END)
            done.wait(0.2)

    done = threading.Event()
    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield late
    finally:
        done.set()
        timer.cancel()


def _must(connection: Connection, sql: str) -> None:
    """Run a statement that keeps strangers out: nothing goes on without it."""
    error = connection.run(sql)
    if error is not None:
        raise RuntimeError(f"{sql}: {error.message}")
