"""Databases with a schema and some rows, on which generated functions are called."""

from __future__ import annotations

import contextlib
import importlib
import secrets
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Protocol

import aiomysql
import asyncpg
import pymysql
from aiosqlc.ir import TypedQuery
from aiosqlc.mysql.schema import load
from aiosqlc.parse.placeholders import for_driver
from aiosqlc.pipeline.analysed import Analysed, options_of
from aiosqlc.postgres.analyze import Analyzer
from aiosqlc.postgres.catalog.facts import load_facts
from aiosqlc.postgres.population import Population
from aiosqlc.postgres.sampling import Sampler
from aiosqlc.servers.mysql.session import open_session
from aiosqlc.servers.postgres.connection import Connection
from aiosqlc.source import Dialect

from tools.realworld.data import insert_rows, quoted

_MOST_ROWS = 200  # of a table, when two states are compared
_SAMPLE = 10  # rows of a table whose values are passed as arguments
_SECONDS = 3.0
_TIMES = 20  # how often a text is asked whether it answers the same each time


class World(Protocol):
    """A test database on which generated functions are called."""

    refusals: tuple[type[Exception], ...]

    async def fill(self, number: int, nulls: float = 0.4) -> None:
        """Insert rows for a round of calls; in the first round (`number` is 0), insert nothing."""
        ...

    async def rows(self) -> dict[str, list[dict[str, object]]]:
        """Return some rows of every table, by table name, from which arguments are chosen."""
        ...

    def attempt(self) -> contextlib.AbstractAsyncContextManager[Recorder]:
        """Yield an executor whose changes are rolled back at the end of the block."""
        ...


@dataclass
class Statement:
    """A statement that a function executed, and the outcome.

    A statement without `sql` stands for copied rows.
    """

    sql: str
    arguments: Sequence[Any]
    outcome: Any = None


@dataclass
class Engine(ABC):
    """A connection to the database, inside a transaction."""

    executor: Any

    async def fetch(self, sql: str, arguments: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Return every row."""
        return [tuple(row) for row in await self.executor.fetch(sql, *arguments)]

    async def execute(self, sql: str, arguments: Sequence[Any]) -> str:
        """Run a statement and return its status."""
        return str(await self.executor.execute(sql, *arguments))

    async def mark(self) -> None:
        """Set the savepoint that `undo` rolls back to."""
        await self.executor.execute("savepoint called")

    async def undo(self) -> None:
        """Roll back everything since the savepoint."""
        await self.executor.execute("rollback to savepoint called")

    def source(self, query: TypedQuery, arguments: Sequence[Any]) -> tuple[str, Sequence[Any]]:
        """Return the query as in its source file, with the arguments in the order of that text."""
        return query.parsed.sql, arguments

    @abstractmethod
    async def state(self, table: str) -> list[str]:
        """Return the rows of a table as texts."""


@dataclass
class Recorder:
    """The executor for generated functions, which executes and records their statements."""

    engine: Engine
    statements: list[Statement] = field(default_factory=list)

    async def fetch(self, query: str, /, *args: Any) -> Any:
        """Return every row."""
        said = self._note(query, args)
        said.outcome = list(await self.engine.executor.fetch(query, *args))
        return said.outcome

    async def fetchrow(self, query: str, /, *args: Any) -> Any:
        """Return the first row."""
        rows = await self.fetch(query, *args)
        return rows[0] if rows else None

    async def fetchval(self, query: str, /, *args: Any) -> Any:
        """Return the first value."""
        row = await self.fetchrow(query, *args)
        return None if row is None else next(iter(row))

    async def execute(self, query: str, /, *args: Any) -> str:
        """Run a statement."""
        said = self._note(query, args)
        said.outcome = status = str(await self.engine.executor.execute(query, *args))
        return status

    async def execute_lastid(self, query: str, /, *args: Any) -> int:
        """Run an INSERT and return the new row's ID, which is not compared between runs."""
        self._note(query, args)
        return int(await self.engine.executor.execute_lastid(query, *args))

    async def executemany(self, command: str, args: Iterable[Sequence[Any]]) -> None:
        """Run a statement for each set of arguments."""
        rows = [tuple(item) for item in args]
        for item in rows:
            self._note(command, item)
        await self.engine.executor.executemany(command, rows)

    async def copy_records_to_table(
        self, table_name: str, *, records: Iterable[Sequence[Any]], **options: Any
    ) -> str:
        """Copy rows."""
        rows = [tuple(item) for item in records]
        for item in rows:
            self._note("", item)
        return str(
            await self.engine.executor.copy_records_to_table(table_name, records=rows, **options)
        )

    def cursor(self, query: str, /, *args: Any) -> Any:
        """Open a cursor."""
        self._note(query, args)
        return self.engine.executor.cursor(query, *args)

    def _note(self, sql: str, arguments: Sequence[Any]) -> Statement:
        self.statements.append(Statement(sql, arguments))
        return self.statements[-1]

    def nulls(self) -> set[int]:
        """Return the positions of the columns that were NULL in some row."""
        outcomes = [item.outcome for item in self.statements if isinstance(item.outcome, list)]
        rows = [tuple(row) for rows in outcomes for row in rows]
        return {place for row in rows for place, value in enumerate(row) if value is None}

    async def source_fails(self, query: TypedQuery) -> bool:
        """Return whether the query also fails as written in its file, or cannot be compared."""
        if query.variants or not self.statements:
            return True
        return isinstance(await self._source(query), Exception)

    async def differs_from_source(self, query: TypedQuery) -> str:
        """Return how results and table rows differ from those of the source query, or ''."""
        if query.variants or not self.statements:
            return ""
        ours = [await self.engine.state(table) for table in query.writes]
        one = await self._source(query)
        theirs = [await self.engine.state(table) for table in query.writes]
        if isinstance(one, Exception):
            if by_data(one):
                return ""
            return (
                "the server accepts the SQL of aiosqlc, but refuses the SQL of the project:"
                f" {type(one).__name__}: {one}"
            )
        other = await self._source(query)
        if isinstance(other, Exception):
            return ""
        again = [await self.engine.state(table) for table in query.writes]
        outcomes = [item.outcome for item in self.statements]
        for mine, first, second in zip(outcomes, one, other, strict=True):
            found = _difference(mine, first, second)
            if found:
                return found if await self._is_certain(query, one) else ""
        if theirs == again and ours != theirs:
            return f"{', '.join(query.writes)} would contain {_first_unlike(theirs, ours)}"
        return ""

    async def _is_certain(self, query: TypedQuery, answers: list[Any]) -> bool:
        """Return whether the source query gives repeatable results (no `ORDER BY random()`)."""
        return all([await self._source(query) == answers for _ in range(_TIMES)])

    async def _source(self, query: TypedQuery) -> list[Any] | Exception:
        """Roll back, and run the source query with the arguments of the recorded call."""
        await self.engine.undo()
        outcomes: list[Any] = []
        try:
            for item in self.statements:
                sql, arguments = self.engine.source(query, item.arguments)
                if isinstance(item.outcome, list):
                    outcomes.append(await self.engine.fetch(sql, arguments))
                else:
                    status = await self.engine.execute(sql, arguments)
                    outcomes.append(None if item.outcome is None else status)
        except Exception as error:  # noqa: BLE001 - the text as written may fail in any way
            await self.engine.undo()
            return error
        return outcomes


def by_data(error: Exception) -> bool:
    """Return whether a server error depends on rows or time, so that it varies between calls."""
    return isinstance(
        error,
        asyncpg.IntegrityConstraintViolationError
        | asyncpg.QueryCanceledError
        | pymysql.IntegrityError,
    )


def _difference(mine: Any, one: Any, other: Any) -> str:
    """Return how a result differs from both runs of the source query, or '' if it does not."""
    if mine is None or one is None:
        return ""
    if not isinstance(mine, list):
        return (
            f"the status is {mine}, but the SQL of the project has {one}"
            if one == other and mine != one
            else ""
        )
    rows = [tuple(row) for row in mine]
    widths = {len(row) for row in rows} | {len(row) for row in one}
    if len(widths) > 1:
        theirs = f"but the SQL of the project returns {len(one[0])}"
        return f"it returns {len(rows[0])} columns, {theirs}"
    if len(one) == len(other) != len(rows):
        return f"it returns {len(rows)} rows, but the SQL of the project returns {len(one)}"
    for column in range(max(widths, default=0)):
        first, second, ours = ([repr(row[column]) for row in part] for part in (one, other, rows))
        if sorted(first) == sorted(second) != sorted(ours):
            theirs = f"with the SQL of the project it has {sorted(first)[:3]}"
            return f"column {column + 1} has {sorted(ours)[:3]}, but {theirs}"
    return ""


def _first_unlike(theirs: list[list[str]], ours: list[list[str]]) -> str:
    for one, other in zip(theirs, ours, strict=True):
        for row in sorted(set(one) ^ set(other))[:1]:
            whose = "the project" if row in one else "aiosqlc"
            return f"the row {row[:120]} only after the SQL of {whose}"
    return "something else"


@contextlib.asynccontextmanager
async def open_world(analysed: Analysed, out: Path) -> AsyncIterator[World]:
    """Yield a database with the schema of an entry; it is dropped after the block."""
    opener = _open_mysql if analysed.entry.engine is Dialect.MYSQL else _open_postgres
    async with opener(analysed, out) as world:
        yield world


# --- PostgreSQL -----------------------------------------------------------------------------------


class _PostgresEngine(Engine):
    async def state(self, table: str) -> list[str]:
        name = ".".join(f'"{part}"' for part in table.split("."))
        rows = await self.executor.fetch(
            f"select t::text from {name} t order by 1 limit {_MOST_ROWS}"  # noqa: S608 - a name of the catalogue
        )
        return [row[0] for row in rows]


@dataclass
class _PostgresWorld:
    connection: Any
    population: Population
    refusals: tuple[type[Exception], ...] = (asyncpg.PostgresError,)

    async def fill(self, number: int, nulls: float = 0.4) -> None:
        if number:
            self.population.connection.run("begin")
            self.population.fill(3 * number, nulls=nulls)
            self.population.connection.run("commit")

    async def rows(self) -> dict[str, list[dict[str, object]]]:
        found: dict[str, list[dict[str, object]]] = {}
        for table in self.population.order:
            name = self.population.named(table)
            with contextlib.suppress(Exception):  # a value that the driver has no word for
                sample = f"select * from {name} order by random() limit {_SAMPLE}"  # noqa: S608 - quoted
                rows = await self.connection.fetch(sample)
                found[self.population.facts.relations[table].name] = [
                    _named(name, dict(row)) for row in rows
                ]
        return found

    @contextlib.asynccontextmanager
    async def attempt(self) -> AsyncIterator[Recorder]:
        transaction = self.connection.transaction()
        await transaction.start()
        try:
            engine = _PostgresEngine(self.connection)
            await engine.mark()
            yield Recorder(engine)
        finally:
            await transaction.rollback()


@contextlib.asynccontextmanager
async def _open_postgres(analysed: Analysed, _out: Path) -> AsyncIterator[World]:
    options = options_of(analysed.entry, analysed.inputs.shims)
    with Analyzer() as analyzer:
        opened = analyzer.opened(analysed.inputs.schema, options, partial=True)
        if opened is None:
            message = "the schema has errors"
            raise RuntimeError(message)
        server = analyzer.server(options)
        original, path = opened[0].rows(
            "select current_database(), current_setting('search_path')"
        )[0]
        opened[0].close()
        name = f"realworld_{secrets.token_hex(6)}"
        with Connection(server.admin) as admin:
            error = admin.run(f'create database "{name}" template "{original}"')
            if error is not None:
                raise RuntimeError(error.message)
            try:
                with Connection(server.conninfo(name)) as filler:
                    facts = load_facts(filler)
                    texts = [query.sql for query in analysed.analysis.queries]
                    population = Population(filler, facts, Sampler(0, texts), facts.relations)
                    filler.run("set statement_timeout = '2s'")
                    connection = await asyncpg.connect(**_asyncpg(server.conninfo(name)))
                    await connection.execute("set statement_timeout = '2s'")
                    await connection.execute(f"set search_path = {path}")  # a copy has it not
                    try:
                        yield _PostgresWorld(connection, population)
                    finally:
                        await connection.close()
            finally:
                admin.run(f'drop database if exists "{name}" with (force)')


def _asyncpg(conninfo: str) -> dict[str, Any]:
    """Convert libpq's connection arguments to those of asyncpg."""
    from psycopg.conninfo import conninfo_to_dict

    said = conninfo_to_dict(conninfo)
    known = {"host": "host", "port": "port", "user": "user", "dbname": "database"}
    found: dict[str, Any] = {known[key]: said[key] for key in known if key in said}
    return {**found, "password": said.get("password"), "statement_cache_size": 0}


# --- MySQL ----------------------------------------------------------------------------------------


class _MysqlEngine(Engine):
    def source(self, query: TypedQuery, arguments: Sequence[Any]) -> tuple[str, Sequence[Any]]:
        ours = for_driver(query.sql)[1]
        by_number = dict(zip(ours, arguments, strict=False))
        text, theirs = for_driver(query.parsed.sql)
        return text, [by_number[number] for number in theirs]

    async def state(self, table: str) -> list[str]:
        try:
            rows = await self.executor.fetch(f"select * from {quoted(table)} limit {_MOST_ROWS}")  # noqa: S608 - a name of the catalogue
        except pymysql.ProgrammingError:  # of another database, which nothing here names
            return []
        return sorted(repr(tuple(row)) for row in rows)


@dataclass
class _MysqlWorld:
    connection: Any
    adapter: Any
    random: Random
    refusals: tuple[type[Exception], ...] = (pymysql.MySQLError,)

    async def fill(self, number: int, nulls: float = 0.4) -> None:
        if number:
            await insert_rows(self.adapter, self.random, 3 * number, nulls)
            await self.connection.commit()

    async def rows(self) -> dict[str, list[dict[str, object]]]:
        found: dict[str, list[dict[str, object]]] = {}
        for (table,) in await self.adapter.fetch("show tables"):
            cursor = await self.connection.cursor(aiomysql.DictCursor)
            await cursor.execute(f"select * from `{table}` order by rand() limit {_SAMPLE}")  # noqa: S608 - as above
            found[table] = [_named(table, row) for row in await cursor.fetchall()]
        return found

    @contextlib.asynccontextmanager
    async def attempt(self) -> AsyncIterator[Recorder]:
        await self.connection.begin()
        try:
            engine = _MysqlEngine(self.adapter)
            await engine.mark()
            yield Recorder(engine)
        finally:
            await self.connection.rollback()


@contextlib.asynccontextmanager
async def _open_mysql(analysed: Analysed, out: Path) -> AsyncIterator[World]:
    session = open_session(None, None, analysed.entry.server)
    loaded, problem = load(session, analysed.inputs.schema, for_mysql=True)
    if loaded is None:
        raise RuntimeError(problem.message if problem else "the schema has errors")
    socket = str(session.connection.unix_socket)
    adapter = importlib.import_module(f"{out.name}.adapter")
    connection = await aiomysql.connect(
        unix_socket=socket,
        user="root",
        db=loaded.database,
        charset="utf8mb4",
        client_flag=pymysql.constants.CLIENT.FOUND_ROWS,
        # One moment for all, so that what two runs of a text write is the same.
        init_command="SET time_zone = '+00:00', max_statement_time = 2, timestamp = 1704067200",
    )
    try:
        yield _MysqlWorld(connection, adapter.AiomysqlExecutor(connection), Random(0))  # noqa: S311 - test data
    finally:
        await connection.ensure_closed()  # or its locks outlive it, and the deletes wait for them
        for (table,) in session.rows("show tables"):  # the cached database stays empty
            session.run("set foreign_key_checks = 0")
            with contextlib.suppress(pymysql.MySQLError):
                session.run(f"delete from `{table}`")  # noqa: S608 - as above


def _named(table: str, row: dict[str, object]) -> dict[str, object]:
    """Add a row's ID under the name of a foreign key to it: `author_id` for a row of `authors`."""
    singular = table.rpartition(".")[2].strip('"').removesuffix("s")
    return {**row, f"{singular}_id": row["id"]} if "id" in row else row
