"""`aiosqlc factories`: generate functions that insert rows for tests."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from aiosqlc.analysis.recipes import Name
from aiosqlc.cli.common import load, only_entry, report, style_of
from aiosqlc.config.project import Project, QuerySet
from aiosqlc.engines import engine_for
from aiosqlc.factories.compile import Factory, compile_factory
from aiosqlc.pipeline.output import compare, diff, write
from aiosqlc.servers.private import NoServerError

_NEEDED = "`gen.python`"


def _fits(entry: QuerySet) -> bool:
    return entry.python is not None


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Declare the options of `factories`."""
    command.add_argument("out", type=Path, metavar="FOLDER", help="folder of the generated package")
    command.add_argument(
        "--entry", help="name of the entry in the configuration, if there are several"
    )
    command.add_argument(
        "--tables", help="names of the tables, with commas between them; by default all tables"
    )
    command.add_argument(
        "--check", action="store_true", help="write nothing; exit with 1 if a file would change"
    )


def run(arguments: argparse.Namespace) -> int:
    """Write the generated factory functions of one configuration entry."""
    project = load(arguments)
    if project is None:
        return 2
    entry = only_entry(project, arguments.entry, _fits, _NEEDED)
    if isinstance(entry, str):
        sys.stderr.write(f"{entry}\n")
        return 2
    out = Path.cwd() / arguments.out
    try:
        with engine_for(entry.engine) as engine:
            chosen = _named(arguments.tables or "")
            factory = compile_factory(project, entry, out, engine, chosen=chosen)
    except NoServerError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    report(factory.diagnostics, style_of(arguments, project.root))
    if factory.missing:
        names = ", ".join(f"`{_shown(name)}`" for name in factory.missing)
        has = ", ".join(map(_shown, factory.tables)) or "no tables"
        sys.stderr.write(f"the schema has no table {names}; it has: {has}\n")
        return 2
    for name, reason in factory.refused:
        sys.stderr.write(f"no function for the table {_shown(name)}: {reason}\n")
    if factory.diagnostics:
        return 1
    return _checked(factory, out) if arguments.check else _written(factory, out, arguments, project)


def _named(text: str) -> frozenset[Name]:
    """Parse the table names in the value of `--tables`, such as `author,shop.book`."""
    words = filter(None, (word.strip() for word in text.split(",")))
    parts = (word.rpartition(".") for word in words)
    return frozenset((schema or "public", table) for schema, _, table in parts)


def _shown(name: Name) -> str:
    return name[1] if name[0] == "public" else ".".join(name)


def _checked(factory: Factory, out: Path) -> int:
    changes = compare(factory.files, [out])
    sys.stdout.write(diff(changes))
    return 1 if changes else 0


def _written(factory: Factory, out: Path, arguments: argparse.Namespace, project: Project) -> int:
    changes = compare(factory.files, [out])
    refused = write(changes)
    report(refused, style_of(arguments, project.root))
    for file in () if refused else changes.write:
        sys.stderr.write(f"wrote {os.path.relpath(file.path)}\n")
    return 1 if refused else 0
