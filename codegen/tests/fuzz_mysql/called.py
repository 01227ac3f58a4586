"""The search through generated functions: their results match their annotations.

The grammar's queries are compiled to a package, and its functions are called through its adapter in
every world. The results are compared with the types that a reader sees, and the number of rows with
the claimed number.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import shutil
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any, get_type_hints

import aiomysql
import pymysql
from aiosqlc.contract.conforms import unlike
from aiosqlc.contract.values import Values
from aiosqlc.ir import Cardinality, TypedQuery
from aiosqlc.mysql import analyze
from aiosqlc.plan.naming import argument, function_name
from aiosqlc.servers.mysql.session import SQL_MODE

from tests.fuzz.compiled import PACKAGE, compile_texts, imported
from tests.fuzz_mysql.hunt import Hunt
from tests.fuzz_mysql.values import choices
from tests.fuzz_mysql.world import SCHEMA

_NO_DATE = " is not a valid date"
_NEEDED = " is needed beside "  # what a function says of arguments that must come together
_MODELS = ("dataclass", "msgspec", "pydantic", "attrs")
_LONGEST = 5.0  # seconds for one call


@dataclass
class Tally:
    """The results of the calls. `broken` are the functions with other results.

    `undated` calls read an invalid date, which is an error according to the manual.
    """

    functions: int = 0
    calls: int = 0
    refused: int = 0
    undated: int = 0
    shapes: int = 0
    broken: list[str] = field(default_factory=list)

    def report(self) -> str:
        """Return a summary in a few lines."""
        head = f"{self.calls} calls of {self.functions} functions, {len(self.broken)} broken"
        rest = f"{self.refused} calls refused by the server, {self.undated} with an invalid date"
        rest += f", {self.shapes} shapes of JSON"
        return "\n".join([head, rest, *self.broken[:10]])


@dataclass(frozen=True)
class _Function:
    """A generated function, its query, and its arguments."""

    call: Any
    query: TypedQuery
    values: Values
    naive: frozenset[str]


def hunt_called(
    calls: int,
    seed: int,
    folder: Path,
    cache: Path | None = None,
    queries: int = 400,
    *,
    documents: bool = False,
) -> Tally:
    """Call functions about this many times on a private MariaDB; this number is compiled at once.

    With `documents`, each query builds JSON, which is decoded to classes.
    """
    tally = Tally()
    search = Hunt(cache, seed, kin="mariadb")
    search.grammar.documents = documents
    number = 0
    with contextlib.closing(search), warnings.catch_warnings():
        warnings.simplefilter("ignore", aiomysql.Warning)  # of values, which are random
        while tally.calls < calls:
            wanted = min(queries, (calls - tally.calls) // len(search.worlds) + 10)
            options = f", models: {_MODELS[number % 4]}, typed_json: true" if documents else ""
            _one_package(search, tally, seed, folder / "package", wanted, options)
            number += 1
    return tally


def _one_package(
    search: Hunt, tally: Tally, seed: int, folder: Path, queries: int, options: str
) -> None:
    asked = list(_taken(search, queries))
    texts = [sql for sql, _ in asked]
    try:
        known = compile_texts(
            folder, "mysql", SCHEMA, texts, analyze, server="mariadb", options=options
        ).queries
        tally.shapes += sum(bool(column.shape) for query in known for column in query.columns)
        for number, world in enumerate(search.worlds):  # compiling drops what it does not know
            search.make_world(number, world)
        with imported(folder) as module:
            adapter = importlib.import_module(f"{PACKAGE}.adapter")
            functions = list(_functions(module, known, [sorts for _, sorts in asked], seed))
            tally.functions += len(functions)
            for world in search.worlds:
                asyncio.run(_in_world(search, world, adapter, functions, tally))
    finally:
        shutil.rmtree(folder)


def _taken(search: Hunt, count: int) -> Iterator[tuple[str, list[str]]]:
    """Yield queries that the server accepts and survives, with the sorts of their parameters."""
    search.use(search.database)
    while count:
        sql, sorts = search.grammar.query()
        typed = search.typed(sql, search.by_server)
        if typed is not None:
            count -= 1
            yield sql, sorts
        elif not search.answers():
            search.again()


def _functions(
    module: ModuleType, queries: Iterable[TypedQuery], sorts: Sequence[list[str]], seed: int
) -> Iterator[_Function]:
    for query in queries:
        call = getattr(module, function_name(query.parsed.name), None)
        if call is None:  # a query with an error has none
            continue
        kinds = sorts[int(query.parsed.name[1:])]
        pairs = list(zip(query.params, kinds, strict=False))
        given = {argument(param.name): choices(param, kind) for param, kind in pairs}
        if len(given) < len(pairs):  # arguments with one name are numbered, so these are not known
            continue
        naive = {argument(param.name) for param, _ in pairs if param.type.name != "timestamp"}
        yield _Function(call, query, Values(Random(seed), given), frozenset(naive))


async def _in_world(
    search: Hunt, world: str, adapter: ModuleType, functions: list[_Function], tally: Tally
) -> None:
    connection = reading = None
    for function in functions:
        if connection is None or connection.closed:
            search.use(world)
            connection = await _connect(search, world)
            reading = _counting(adapter)(connection)
        try:
            await _call(reading, function, tally)
            await connection.rollback()
        except (pymysql.MySQLError, OSError):  # a query may crash the server itself
            connection.close()
            if not search.answers():
                search.again()
    if connection is not None:
        connection.close()


async def _connect(search: Hunt, world: str) -> Any:
    return await aiomysql.connect(
        unix_socket=search.session.connection.unix_socket, user="root", db=world, charset="utf8mb4",
        sql_mode=f"'{SQL_MODE}'", autocommit=False,
        init_command="SET time_zone = '+00:00', max_statement_time = 1",
        client_flag=pymysql.constants.CLIENT.FOUND_ROWS,
    )  # fmt: skip


def _counting(adapter: ModuleType) -> Any:
    """Return the package's executor, which records how many rows a function has read."""

    class Counting(adapter.AiomysqlExecutor):  # type: ignore[name-defined,misc]  # it is made now
        rows: int | None = None

        async def fetch(self, query: str, /, *args: Any) -> Any:
            rows = await super().fetch(query, *args)
            self.rows = len(rows)
            return rows

    return Counting


async def _call(reading: Any, function: _Function, tally: Tally) -> None:
    arguments = function.values.arguments(function.call, function.naive)
    reading.rows = None
    try:
        async with asyncio.timeout(_LONGEST):
            result = await function.call(reading, **arguments)
    except pymysql.MySQLError:
        tally.refused += 1
        return
    except Exception as error:  # whatever it is, the function breaks its promise
        if _NO_DATE in str(error):
            tally.undated += 1
        elif _NEEDED in str(error):
            tally.refused += 1
        else:
            _note(tally, function, f"{type(error).__name__}: {error}", arguments)
        return
    tally.calls += 1
    said = unlike(result, get_type_hints(function.call)["return"]) or _miscounted(
        function.query.cardinality, reading.rows
    )
    if said:
        _note(tally, function, said, arguments)


def _miscounted(claimed: Cardinality, rows: int | None) -> str:
    if rows is None:
        return ""
    many = claimed.at_most_one and rows > 1
    none = claimed in {Cardinality.ONE, Cardinality.SOME} and not rows
    return f"{rows} rows, but {claimed.name} is claimed" if many or none else ""


def _note(tally: Tally, function: _Function, said: str, arguments: dict[str, object]) -> None:
    line = f"{said} with {arguments!r}: {function.query.sql}"
    if line not in tally.broken:
        tally.broken.append(line)
