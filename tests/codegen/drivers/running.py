"""Generated code of one driver, imported, with a connection of the driver's to call it on."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from aiosqlc import mysql
from aiosqlc.config.load import load_project
from aiosqlc.diagnostics import Diagnostic
from aiosqlc.ir import Analysis, Analyze, AnalyzeOptions, ParsedQuery, SchemaFile
from aiosqlc.messages.render import render_all
from aiosqlc.pipeline import compile_project
from ruff.__main__ import find_ruff_bin

HERE = Path(__file__).parent


def package_of(package: str, driver: str, drivers: Sequence[str]) -> str:
    """Return where the functions of one of several drivers of an entry are."""
    return package if driver == drivers[0] else f"{package}.on_{driver.replace('-', '_')}"


@dataclass
class Subject:
    """What the tests call: a package for one driver, and an executor on a real server."""

    driver: str
    package: str
    db: Any
    runner: asyncio.Runner
    connection: Any

    def module(self, name: str = "queries") -> ModuleType:
        """Return one of the generated modules; drivers of one entry share the models."""
        package = self.package.partition(".")[0] if name == "models" else self.package
        return importlib.import_module(f"{package}.{name}")

    def call(self, name: str, /, *args: Any, **kwargs: Any) -> Any:
        """Call a generated function, whichever colour it has, and return what it returns."""
        return self.wait(getattr(self.module(), name)(self.db, *args, **kwargs))

    def wait(self, value: Any) -> Any:
        """Return what a call returned, or the rows of what it streams."""
        if inspect.isasyncgen(value):

            async def rows() -> list[Any]:
                return [row async for row in value]

            return self.runner.run(rows())
        if inspect.isgenerator(value):
            return list(value)
        if inspect.isawaitable(value):
            return self.runner.run(_awaited(value))
        return value


async def _awaited(value: Any) -> Any:
    return await value


CONFIG = """\
version: "2"
sql:
  - engine: {engine}
    schema: {schema}
    queries: {queries}
    strict: true{more}
    gen:
      python: {{out: {package}, package: {imported}, driver: {driver}, {options}}}
"""


@contextmanager
def compiled(
    folder: Path,
    driver: str,
    analyze: Analyze,
    *,
    engine: str = "postgresql",
    files: tuple[str, str] = ("postgres.sql", "postgres_queries.sql"),
    options: str = "emit_exceptions: true, emit_helpers: true",
    texts: dict[str, str] | None = None,
    more: str = "",
    named: bool = True,
) -> Iterator[str]:
    """Compile the suite's queries for a driver, or for several in brackets.

    Yield the package's name, which can be imported; `named` tells the compiler, too.
    """
    package = "_".join(re.findall(r"\w+", f"p {driver} {folder.name}"))
    schema, queries = files
    for name, target in ((schema, "schema.sql"), (queries, "queries.sql")):
        text = (texts or {}).get(name) or (HERE / name).read_text()
        (folder / target).write_text(text)
    config = folder / "sqlc.yaml"
    config.write_text(
        CONFIG.format(
            engine=engine, schema="schema.sql", queries="queries.sql", package=package,
            driver=driver, options=options, more=more, imported=package if named else "",
        )
    )  # fmt: skip
    project, problems = load_project(config, environ={})
    assert project is not None, render_all(problems)
    done = compile_project(project, analyze)
    assert not [*problems, *done.diagnostics], render_all([*problems, *done.diagnostics])
    for file in done.files:
        file.path.parent.mkdir(parents=True, exist_ok=True)
        file.path.write_text(file.text)
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield package
    finally:
        sys.path.remove(str(folder))
        for name in [name for name in sys.modules if name.partition(".")[0] == package]:
            del sys.modules[name]


def analyzer_on_mysql(url: str) -> Analyze:
    """Analyse on a MySQL server that runs already."""

    def on_server(
        schema: Sequence[SchemaFile], queries: Sequence[ParsedQuery], options: AnalyzeOptions
    ) -> tuple[Analysis, tuple[Diagnostic, ...]]:
        return mysql.analyze(schema, queries, replace(options, database_uri=url))

    return on_server


def complaints(folder: Path) -> str:
    """Return what the formatter and the linter say of generated code."""
    said = ""
    for words in (["format", "--check"], ["check", "--select", "F,I,UP,B"]):
        command = [find_ruff_bin(), *words, "--isolated", "--no-cache", "-q", "."]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        said += done.stdout + done.stderr
    return said
