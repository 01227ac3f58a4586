"""Write the functions of the tools' queries to a temporary package, and import the package.

These are the functions that `aiosqlc generate` writes, for a fixed driver and fixed row classes. So
they return the types that the compiler proves.
"""

from __future__ import annotations

import contextlib
import importlib
import secrets
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from aiosqlc.config.project import Project, PythonTarget
from aiosqlc.drivers import driver_of
from aiosqlc.emit.package import print_package
from aiosqlc.ir import Command, Nesting, TypedQuery
from aiosqlc.pipeline.analysed import Analysed
from aiosqlc.plan.clashes import functions_of
from aiosqlc.plan.model import PyRow
from aiosqlc.plan.module import plan_modules
from aiosqlc.source import Dialect

# Local names in the body of a function that yields rows.
_TAKEN: Final = frozenset({"chunk", "cursor"})
DRIVERS: Final = {Dialect.POSTGRESQL: "asyncpg", Dialect.MYSQL: "aiomysql"}


class Functions(Struct, frozen=True):
    """The generated functions by query name, each with the structure of its rows.

    `executor` converts a driver's connection to the first argument of the functions.
    """

    by_query: Mapping[str, tuple[Callable[..., Any], PyRow | None]]
    executor: Callable[[Any], Any]


@contextlib.contextmanager
def functions_for(
    project: Project, part: Analysed, queries: Sequence[TypedQuery]
) -> Iterator[Functions]:
    """Generate and import the functions of queries. Delete their package when the context ends.

    Raises `ValueError` if the names of two queries clash.
    """
    package = f"aiosqlc_tools_{secrets.token_hex(8)}"
    engine = part.entry.engine
    with tempfile.TemporaryDirectory(prefix="aiosqlc-mcp-") as folder:
        target = PythonTarget(
            out=Path(folder) / package,
            span=part.entry.span,
            package=package,
            driver=DRIVERS[engine],
        )
        streamed = [_as_tool(query) for query in queries]
        modules, found = plan_modules(
            target, replace(part.analysis, queries=tuple(streamed), stored=()), engine
        )
        if found and not modules:
            raise ValueError(found[0].message)
        target.out.mkdir()
        for file in print_package(project, target, modules, engine):
            file.path.write_text(file.text, encoding="utf-8")
        rows = {item.query_name: item.row for module in modules for item in module.functions}
        functions = functions_of(query.parsed for query in streamed)
        driver = driver_of(target.driver, engine)
        sys.path.insert(0, folder)
        try:
            imported = {
                name: (getattr(importlib.import_module(f"{package}.{file}"), function), rows[name])
                for name, (file, function) in functions.items()
            }
            for module in modules:
                python = importlib.import_module(f"{package}.{module.path.stem}")
                for item in module.functions:
                    if item.keyed:
                        imported[item.query_name] = (getattr(python, item.name), item.row)
            adapter = importlib.import_module(f"{package}.adapter") if driver.adapter else None
            yield Functions(imported, getattr(adapter, driver.executor) if adapter else _as_it_is)
        finally:
            sys.path.remove(folder)
            for name in [name for name in sys.modules if name.partition(".")[0] == package]:
                del sys.modules[name]


def _as_it_is(connection: Any) -> Any:
    return connection


def _as_tool(query: TypedQuery) -> TypedQuery:
    """Return a query without its Python type hints; a `:many` query becomes `:stream`.

    The declared structures of stored JSON are left out too: they are not proved, and their classes
    would be imported from the application, whose code must not run here.

    A query with nested lists stays `:many` if ORDER BY does not keep an object's joined rows
    together, or if the query also has a function for many keys.
    """
    parsed = query.parsed
    adjacent = isinstance(query.nesting, Nesting) and query.nesting.adjacent
    whole = isinstance(query.nesting, Nesting) and (not adjacent or query.batch is not None)
    hints = tuple(replace(hint, python_type=None) for hint in parsed.hints)
    streams = parsed.command is Command.MANY and not _TAKEN & {item.name for item in query.params}
    command = Command.STREAM if streams and not whole else parsed.command
    columns = tuple(replace(one, shape=None, declared_not_null=False) for one in query.columns)
    parsed = replace(parsed, hints=hints, command=command)
    return replace(query, parsed=parsed, columns=columns)
