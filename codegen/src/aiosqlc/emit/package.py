"""The files of a generated package: its modules, the shared files, and `__init__`."""

from __future__ import annotations

import os
from pathlib import Path

from aiosqlc.config.project import Project, PythonTarget
from aiosqlc.drivers import driver_of
from aiosqlc.drivers.helpers import print_helpers, protocols_of
from aiosqlc.emit.arrow import arrow_batch
from aiosqlc.emit.channels import notifications
from aiosqlc.emit.choices import numbering
from aiosqlc.emit.documents import json_documents, stored_json
from aiosqlc.emit.errors import print_errors
from aiosqlc.emit.executor import print_executor
from aiosqlc.emit.header import MARK
from aiosqlc.emit.imports import import_lines
from aiosqlc.emit.keyset import KEYSET
from aiosqlc.emit.literal import line_literal
from aiosqlc.emit.loader import LOADER
from aiosqlc.emit.python import print_module
from aiosqlc.ir import Rendered
from aiosqlc.plan.arrow import MODULE as ARROW_MODULE
from aiosqlc.plan.channels import MODULE as NOTIFICATIONS
from aiosqlc.plan.documents import MODULE
from aiosqlc.plan.model import Import, PyFunction, PyModule
from aiosqlc.plan.stored import MODULE as STORED
from aiosqlc.source import Dialect

_WIDTH = 88
_ROOT_SIGNS = (".git", "pyproject.toml")


def print_package(
    project: Project,
    target: PythonTarget,
    modules: tuple[PyModule, ...],
    engine: Dialect = Dialect.POSTGRESQL,
    *,
    empty: bool = False,
) -> list[Rendered]:
    """Render every file of a package. Each file's first line names the command that wrote it.

    With `empty`, the modules have no content, for callers that need only the paths.
    """
    header = _Header(project)
    files = [
        Rendered(module.path, "" if empty else print_module(module, header.of(module.source)))
        for module in modules
    ]
    driver = driver_of(target.driver, engine)
    functions = [function for module in modules for function in module.functions]
    protocols = _imported_from(target, modules, "executor")
    if target.emit_helpers:
        local = f"{target.package}.executor" if target.package else ".executor"
        protocols |= protocols_of(driver) | (set() if target.executor else {"Executor"})
        source = print_helpers(driver, target.package, local, target.executor or local)
        files.append(Rendered(target.out / "helpers.py", f"{header.of('')}\n{source}"))
    if protocols:
        source = print_executor(protocols, driver, readers=target.readers)
        files.append(Rendered(target.out / "executor.py", f"{header.of('')}\n{source}"))
    own = protocols and not target.executor
    if driver.adapter and (
        own or target.emit_helpers or _imported_from(target, modules, "adapter")
    ):
        source = driver.adapter_source()
        files.append(Rendered(target.out / "adapter.py", f"{header.of('')}\n{source}"))
    local = f"{target.package}.adapter" if target.package else ".adapter"
    if own and (source := driver.session_source(local)):
        files.append(Rendered(target.out / "session.py", f"{header.of('')}\n{source}"))
    choices = [function.choice for function in functions if function.choice]
    built = any(choice.independent for choice in choices)
    if built or any(choice.numbered for choice in choices):
        source = numbering(built=built)
        files.append(Rendered(target.out / "numbering.py", f"{header.of('')}\n{source}"))
    channels = [channel for module in modules for channel in module.channels]
    if any(function.decoders for function in functions) or any(c.decoder for c in channels):
        source = json_documents(target.models, driver.types.json_reader)
        files.append(Rendered(target.out / f"{MODULE}.py", f"{header.of('')}\n{source}"))
    if _imported_from(target, modules, STORED):
        source = stored_json(target.models)
        files.append(Rendered(target.out / f"{STORED}.py", f"{header.of('')}\n{source}"))
    if _imported_from(target, modules, "keyset"):
        files.append(Rendered(target.out / "keyset.py", f"{header.of('')}\n{KEYSET}"))
    if any(function.keyed and function.keyed.loader for function in functions):
        files.append(Rendered(target.out / "loader.py", f"{header.of('')}\n{LOADER}"))
    if any(function.arrow for function in functions):
        path = target.out / f"{ARROW_MODULE}.py"
        files.append(Rendered(path, f"{header.of('')}\n{arrow_batch()}"))
    if channels:
        source = notifications()
        files.append(Rendered(target.out / f"{NOTIFICATIONS}.py", f"{header.of('')}\n{source}"))
    errors = {error for function in functions for error in function.errors}
    if errors and driver.violations:
        source = print_errors(errors, driver.violations)
        files.append(Rendered(target.out / "errors.py", f"{header.of('')}\n{source}"))
    source = header.of("") if empty else _init(target, modules, header.of(""))
    files.append(Rendered(target.out / "__init__.py", source))
    return files


def _imported_from(target: PythonTarget, modules: tuple[PyModule, ...], name: str) -> set[str]:
    """Return the names that the modules import from one file of their own package."""
    local = f"{target.package}.{name}" if target.package else f".{name}"
    return {
        "Unset" if name == "UNSET" else name
        for module in modules
        for origin, name in module.imports
        if origin == local
    }


class _Header:
    """Makes the first lines of generated files.

    Paths in the lines are relative to the project's root, independent of the working directory.
    """

    def __init__(self, project: Project) -> None:
        config = project.root.resolve() / project.file.path
        root = next(
            (
                folder
                for folder in config.parents
                if any((folder / sign).exists() for sign in _ROOT_SIGNS)
            ),
            config.parent,
        )
        self._config = Path(os.path.relpath(config, root)).as_posix()

    def of(self, source: str) -> str:
        """Return the first line of a generated file; `source` is the query file's path, or ''."""
        origin = f" from {_one_line(source)}" if source else ""
        line = f"{MARK}by `aiosqlc generate -f {_one_line(self._config)}`{origin}."
        return f"{line} Do not edit." if len(line) <= _WIDTH - 13 else line


def _one_line(path: str) -> str:
    """Escape line breaks in a path, because the text after a line break would be code."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in path)


def _init(target: PythonTarget, modules: tuple[PyModule, ...], header: str) -> str:
    """Render `__init__.py`, which maps SQL texts to query names, for metrics and traces."""
    package = target.package or "."
    named = [(module.path.stem, item) for module in modules for item in module.functions]
    imports: set[Import] = {("typing", "Final")}
    imports |= {(package, module) for module, function in named if not function.copy}
    first_party = frozenset({package.partition(".")[0]})
    known = [(module, function) for module, function in named if not _is_built(function)]
    built = [(module, function) for module, function in named if _is_built(function)]
    entries = [_entry(module, function) for module, function in known]
    channels = [(module.path.stem, channel) for module in modules for channel in module.channels]
    imports |= {(package, module) for module, _ in channels}
    entries += [f'    {module}.{item.constant}: "{item.query_name}",' for module, item in channels]
    registered = [
        f"{module}.{function.constant}.announce("
        f'lambda sql: QUERY_NAMES.update({{sql: "{function.query_name}"}}))'
        for module, function in built
    ]
    return "\n".join(
        [
            header,
            '"""Typed functions for SQL queries, in one module per query file."""',
            "",
            *import_lines(imports, first_party),
            "",
            "QUERY_NAMES: Final = {" if entries else "QUERY_NAMES: Final[dict[str, str]] = {",
            *entries,
            "}",
            '"""The name of each query by its SQL text, as a label for metrics and traces."""',
            *registered,
            *(_reads(named) if target.readers else ()),
            "",
        ]
    )


def _reads(named: list[tuple[str, PyFunction]]) -> list[str]:
    """Return the source of `READS`, the SQL texts that an executor may send to a replica."""
    reads = [(module, function) for module, function in named if function.reads]
    entries = [_text(module, function) for module, function in reads if not _is_built(function)]
    registered = [
        f"{module}.{function.constant}.announce(READS.add)"
        for module, function in reads
        if _is_built(function)
    ]
    body = ["READS: Final = frozenset(", "    {", *entries, "    }", ")"]
    body = body if entries else ["READS: Final = frozenset[str]()"]
    if registered:
        body = ["READS: Final = {", *entries, "}"] if entries else ["READS: Final = set[str]()"]
    return [
        "",
        *body,
        '"""The SQL texts that are proved to be read-only, so a replica can run them."""',
        *registered,
    ]


def _is_built(function: PyFunction) -> bool:
    """Return whether the SQL texts of a function are assembled when they are first used."""
    return function.choice is not None and bool(function.choice.independent)


def _text(module: str, function: PyFunction) -> str:
    text = f"{module}.{function.constant}"
    return f"        *{text}.values()," if function.choice else f"        {text},"


def _entry(module: str, function: PyFunction) -> str:
    text = f"{module}.{function.constant}"
    if function.copy:
        asked = f"{function.copy.table} ({', '.join(function.copy.columns)})"
        asked = f"{function.copy.schema}.{asked}" if function.copy.schema else asked
        return f'    {line_literal(f"COPY {asked}")}: "{function.query_name}",'
    if function.choice:
        return f'    **dict.fromkeys({text}.values(), "{function.query_name}"),'
    return f'    {text}: "{function.query_name}",'
