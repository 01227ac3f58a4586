"""Compile the factory class for the tables of one configuration entry to files."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from aiosqlc.analysis.recipes import Name
from aiosqlc.config.project import Project, QuerySet
from aiosqlc.diagnostics import Diagnostic, Severity
from aiosqlc.engines import Engine
from aiosqlc.factories.module import print_factory
from aiosqlc.factories.statements import query_file
from aiosqlc.ir import Rendered
from aiosqlc.pipeline.alone import compile_alone, settings_alone
from aiosqlc.pipeline.analysed import options_of
from aiosqlc.pipeline.reading import read_inputs
from aiosqlc.source import SourceFile

_STATEMENTS, _FACTORY = "statements.sql", "factory.py"


class Factory(Struct, frozen=True):
    """The files of a factory, or no files if the diagnostics include an error.

    `refused` maps each table without a method to the reason. `missing` are chosen tables that the
    schema does not have. `tables` are all tables of the schema.
    """

    files: tuple[Rendered, ...]
    diagnostics: tuple[Diagnostic, ...] = ()
    refused: tuple[tuple[Name, str], ...] = ()
    missing: tuple[Name, ...] = ()
    tables: tuple[Name, ...] = ()


def compile_factory(
    project: Project,
    entry: QuerySet,
    out: Path,
    engine: Engine,
    *,
    chosen: frozenset[Name] = frozenset(),
) -> Factory:
    """Return the files of the factory for an entry's schema, in the folder `out`.

    The factory has methods for the `chosen` tables, and for the tables to which their rows refer.
    By default, it has methods for all tables. Raises `NoServerError` if no server is available.
    """
    inputs, problems = read_inputs(project, replace(entry, queries=(), tenant=None))
    errors = tuple(item for item in problems if item.severity is Severity.ERROR)
    if errors or entry.python is None:
        return Factory((), errors)
    recipes = engine.recipes(inputs.schema, options_of(entry, inputs.shims))
    if missing := sorted(chosen - recipes.names()):
        return Factory((), missing=tuple(missing), tables=tuple(sorted(recipes.names())))
    if chosen:
        recipes = recipes.only(chosen)
    source = SourceFile(Path(_STATEMENTS), query_file(recipes))
    made = compile_alone(
        project,
        replace(entry, tenant=None),
        settings_alone(entry.python, out),
        inputs,
        source,
        engine.analyze,
    )
    if made.failed:
        errors = tuple(item for item in made.diagnostics if item.severity is Severity.ERROR)
        return Factory((), errors, recipes.refused)
    more = []
    if made.module:
        text = print_factory(made.header, recipes.tables, made.analysis.queries, made.module)
        more.append(Rendered(out / _FACTORY, text))
    return Factory(made.files("factories", *more), (), recipes.refused)
