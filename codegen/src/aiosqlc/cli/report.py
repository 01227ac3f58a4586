"""`aiosqlc report`: print a bug report about a query, without literals and comments."""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Iterator
from importlib import metadata

from aiosqlc.cli.common import load
from aiosqlc.config.project import QuerySet
from aiosqlc.ir import ParsedQuery
from aiosqlc.parse.scanner import Kind, scan
from aiosqlc.pipeline.analysed import Inputs, options_of
from aiosqlc.pipeline.analyzing import analyzer
from aiosqlc.pipeline.internal import culprits, frames
from aiosqlc.pipeline.reading import read_inputs
from aiosqlc.plan.module import plan_modules
from aiosqlc.source import Dialect

_KEPT_NUMBERS = ("0", "1")  # LIMIT 1 proves a fact and is not a secret


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Declare the options of `report`."""
    command.add_argument(
        "query", metavar="[FILE:]QUERY", help="the query, such as GetUser or users.sql:GetUser"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print versions, the query, the schema, and the compiler code that raises the error."""
    project = load(arguments)
    if project is None:
        return 2
    path, _, name = arguments.query.rpartition(":")
    for entry in project.sets:
        inputs, _ = read_inputs(project, entry)
        for query in inputs.queries:
            if query.name == name and query.file.path.as_posix().endswith(path):
                sys.stdout.write("\n".join(_lines(entry, inputs, query)) + "\n")
                return 0
    sys.stderr.write(f"no query `{arguments.query}`\n")
    return 1


def _lines(entry: QuerySet, inputs: Inputs, query: ParsedQuery) -> Iterator[str]:
    yield f"aiosqlc {metadata.version('aiosqlc')}, Python {platform.python_version()},"
    yield f"{platform.system()} {platform.machine()}, {entry.engine.value}"
    yield ""
    yield f"-- name: {query.name} :{query.command.value}"
    yield without_literals(query.sql, entry.engine)
    for file in (*inputs.shims, *inputs.schema):
        yield ""
        yield from (
            without_literals(file.sql[span.start : span.end], entry.engine) + ";"
            for span in file.statements
        )
    yield ""
    yield from _happened(entry, inputs, query)


def _happened(entry: QuerySet, inputs: Inputs, query: ParsedQuery) -> Iterator[str]:
    analyze = analyzer(entry.engine)
    options = options_of(entry, inputs.shims)

    def compile_alone(queries: list[ParsedQuery]) -> None:
        analysis, _ = analyze(inputs.schema, queries, options)
        if entry.python:
            plan_modules(entry.python, analysis, entry.engine)

    broken = culprits(compile_alone, [query])
    yield from (
        f"{type(error).__name__} {' '.join(frames(error)[-3:])}" for error in broken.values()
    )
    if not broken:
        yield "the compiler does not crash on this query alone"


def without_literals(sql: str, dialect: Dialect) -> str:
    """Return SQL without comments, and with placeholders for the user's strings and numbers."""
    shown, at = [], 0
    for token in scan(sql, dialect):
        shown.append(sql[at : token.start])
        at = token.end
        if token.kind is Kind.NUMBER:
            shown.append(token.text if token.text in _KEPT_NUMBERS else "2")
        elif token.kind in {Kind.STRING, Kind.UNTERMINATED}:
            shown.append("'…'")
        elif token.kind is not Kind.COMMENT:
            shown.append(token.text)
    lines = "".join(shown).split("\n")
    return "\n".join(line.rstrip() for line in lines if line.strip())
