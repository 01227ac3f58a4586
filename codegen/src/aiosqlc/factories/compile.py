"""Compile the factory of one configuration entry to files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from aiosqlc.analysis.recipes import Name, Recipes
from aiosqlc.config.project import Project, PythonTarget, QuerySet
from aiosqlc.diagnostics import Diagnostic, Severity
from aiosqlc.emit.format import format_together
from aiosqlc.engines import Engine
from aiosqlc.factories.module import print_factory
from aiosqlc.factories.statements import query_file
from aiosqlc.ir import Analysis, Rendered
from aiosqlc.parse.queries import parse_files
from aiosqlc.pipeline.analysed import options_of
from aiosqlc.pipeline.compile import Compiled, print_set, read_inputs
from aiosqlc.source import SourceFile

_STATEMENTS, _FACTORY = "statements.sql", "factory.py"


@dataclass(frozen=True, slots=True)
class Factory:
    """The files of a factory. If the diagnostics include errors, there are none.

    `refused` are the tables without a method, each with the reason.
    """

    files: tuple[Rendered, ...]
    diagnostics: tuple[Diagnostic, ...] = ()
    refused: tuple[tuple[Name, str], ...] = ()


def compile_factory(project: Project, entry: QuerySet, out: Path, engine: Engine) -> Factory:
    """Return the files of the factory for an entry's schema, in the folder `out`.

    Raises `NoServerError` if no server is available.
    """
    inputs, problems = read_inputs(project, replace(entry, queries=()))
    errors = [item for item in problems if item.severity is Severity.ERROR]
    scratch = engine.scratch
    if errors or scratch is None or entry.python is None:
        return Factory((), tuple(errors))
    options = options_of(entry, inputs.shims)
    recipes = scratch.recipes(inputs.schema, options)
    text = query_file(recipes.tables)
    queries, mistakes = parse_files([SourceFile(Path(_STATEMENTS), text)], entry.engine)
    analysis, found = engine.analyze(inputs.schema, queries, options)
    errors = [item for item in (*mistakes, *found) if item.severity is Severity.ERROR]
    if errors:
        return Factory((), tuple(errors), recipes.refused)
    return _printed(
        project, replace(entry, python=_alone(entry.python, out), json=None), analysis, recipes
    )


def _alone(python: PythonTarget, out: Path) -> PythonTarget:
    """Return the settings of a package that stands alone in a folder."""
    return replace(
        python, out=out, package="", beside=(), executor="", emit_class=False,
        emit_protocol=False, emit_exceptions=False, emit_helpers=False, readers=False,
        same_as="", contract=None,
    )  # fmt: skip


def _printed(project: Project, entry: QuerySet, analysis: Analysis, recipes: Recipes) -> Factory:
    into = Compiled()
    print_set(project, entry, analysis, into)
    errors = tuple(item for item in into.diagnostics if item.severity is Severity.ERROR)
    if errors or entry.python is None:
        return Factory((), errors, recipes.refused)
    [planned] = into.planned.values()
    modules = [module for module in planned.modules if module.functions]
    header = into.files[-1].text.partition("\n")[0]
    if modules:
        text = print_factory(header, recipes.tables, analysis.queries, modules[0])
        into.add([Rendered(entry.python.out / _FACTORY, text)], entry.python.out)
    return Factory(_named(format_together(into.files, into.near)), (), recipes.refused)


def _named(files: Sequence[Rendered]) -> tuple[Rendered, ...]:
    """Name the command that writes these files in their first lines."""
    return tuple(
        replace(file, text=file.text.replace("`aiosqlc generate", "`aiosqlc factories", 1))
        for file in files
    )
