"""`aiosqlc grants`: print the privileges that the queries need as GRANT statements."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from aiosqlc.analysis.grants import Needs, Right, plain_or, statements
from aiosqlc.cli.common import load, report, style_of
from aiosqlc.config.load import load_project
from aiosqlc.diagnostics import Diagnostic, Severity
from aiosqlc.engines import engine_for
from aiosqlc.ir import ParsedQuery, TypedQuery
from aiosqlc.pipeline.analysed import Analysed, options_of
from aiosqlc.pipeline.analyzing import analyze_project
from aiosqlc.pipeline.reading import read_inputs
from aiosqlc.source import Dialect

_HINT = (
    "make the function SECURITY DEFINER, so that it uses its owner's privileges, or grant the "
    "required privileges by hand"
)


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Declare the options of `grants`."""
    command.add_argument(
        "--to", metavar="ROLE", required=True, help="role that receives the privileges"
    )
    command.add_argument(
        "--also",
        metavar="PATH",
        action="append",
        default=[],
        type=Path,
        help="also include the queries of another configuration; unknown tables are skipped",
    )
    command.add_argument(
        "--engine",
        choices=[engine.value for engine in Dialect],
        help="select the engine, if the project has two engines",
    )
    command.add_argument(
        "--tables", action="store_true", help="grant privileges on whole tables instead of columns"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the GRANT statements that all queries need.

    Return 1 if the privileges cannot be determined.
    """
    project = load(arguments)
    if project is None:
        return 2
    style = style_of(arguments, project.root)
    borrowed: list[tuple[Dialect, tuple[ParsedQuery, ...]]] = []
    for path in arguments.also:
        other, problems = load_project(path)
        report(problems, style)
        if other is None or any(item.severity is Severity.ERROR for item in problems):
            return 2
        borrowed += [(e.engine, read_inputs(other, e)[0].queries) for e in other.sets]
    engines = {entry.engine for entry in project.sets}
    engine = Dialect(arguments.engine) if arguments.engine else min(engines, default=None)
    if len(engines) > 1 and not arguments.engine:
        sys.stderr.write("the configuration has two engines: select an engine with `--engine`\n")
        return 2
    chosen = replace(project, sets=tuple(e for e in project.sets if e.engine is engine))
    rights: set[Right] = set()
    reserved: frozenset[str] = frozenset()
    problems = []
    for analysed in analyze_project(chosen):
        if analysed.failed:
            report(analysed.diagnostics, style)
            return 1
        more = [query for kind, queries in borrowed if kind is engine for query in queries]
        found = _needs(analysed, more)
        rights |= found.rights
        reserved |= found.reserved
        problems += [_unknown(why) for why in found.unknown]
    report(list(dict.fromkeys(problems)), style)
    quote = plain_or(engine_for(engine or Dialect.POSTGRESQL).quote, reserved)
    for line in statements(rights, arguments.to, quote, columns=not arguments.tables):
        sys.stdout.write(f"{line};\n")
    return 1 if problems else 0


def _needs(analysed: Analysed, borrowed: Sequence[ParsedQuery]) -> Needs:
    own, more = _texts(analysed.analysis.queries), _texts(borrowed)
    entry, inputs = analysed.entry, analysed.inputs
    options = options_of(entry, inputs.shims)
    with engine_for(entry.engine) as engine:
        return engine.needs(inputs.schema, analysed.analysis.catalog, options, own, more)


def _texts(queries: Sequence[ParsedQuery] | Sequence[TypedQuery]) -> list[str]:
    """Return the distinct SQL texts of all queries; a dynamic query has several texts."""
    found: dict[str, None] = {}
    for query in queries:
        found[query.sql] = None
        found |= dict.fromkeys(variant.sql for variant in query.variants)
    return list(found)


def _unknown(why: str) -> Diagnostic:
    return Diagnostic("E219", f"cannot determine the required privileges: {why}", hint=_HINT)
