"""Plan the modules of a configuration entry: one per query file, and the shared `models`.

Query files with the same name in different folders form one module, as in sqlc.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from msgspec import Struct
from msgspec.structs import replace

from aiosqlc.config.project import PythonTarget
from aiosqlc.diagnostics import Diagnostic
from aiosqlc.ir import Analysis, TypedQuery
from aiosqlc.plan.batchget import plan_batch
from aiosqlc.plan.channels import plan_channel
from aiosqlc.plan.clashes import (
    check_module,
    renamed_class,
    renamed_classes,
    renamed_function,
)
from aiosqlc.plan.function import plan_function
from aiosqlc.plan.gathered import Gathered, Kind
from aiosqlc.plan.hints import hinted_types
from aiosqlc.plan.model import Import, PyChannel, PyFunction, PyModule
from aiosqlc.plan.models import models_module
from aiosqlc.plan.naming import function_name, module_name
from aiosqlc.plan.package import Package, package_of, with_renamed
from aiosqlc.plan.rows import QueryPlanner
from aiosqlc.plan.scope import numbered_names
from aiosqlc.plan.sharing import share_builders, share_shapes
from aiosqlc.source import Dialect
from aiosqlc.store.memo import memo_by


def plan_modules(
    target: PythonTarget, analysis: Analysis, engine: Dialect = Dialect.POSTGRESQL
) -> tuple[tuple[PyModule, ...], list[Diagnostic]]:
    """Plan every module of a configuration entry.

    If there are diagnostics, the modules must not be rendered.
    """
    overrides = (*hinted_types(analysis.queries), *target.overrides)
    package = package_of(replace(target, overrides=overrides), analysis, engine)
    asked = (*analysis.queries, *analysis.channels)
    files, needed, problems = _gathered(package, asked)
    models = models_module(package, needed)
    if renamed := renamed_classes(needed, models):
        owners = dict(needed.named)
        package = with_renamed(package, renamed)
        files, needed, problems = _gathered(package, asked)
        problems += [
            renamed_class(kind, renamed, owners, _first_need(files, kind)) for kind in renamed
        ]
        models = models_module(package, needed)
    problems += [problem for file in files for problem in file.clashes]
    problems += check_module(models, (), tuple(needed.named))
    planned = tuple(file.module for file in files)
    return (*([models] if models.enums or models.classes else []), *planned), problems


def _gathered(
    package: Package, queries: tuple[TypedQuery, ...]
) -> tuple[list[_File], Gathered, list[Diagnostic]]:
    """Plan the query files, and collect the classes that they need from `models.py`."""
    needed = Gathered()
    problems: list[Diagnostic] = []
    files = [_file(package, *some) for some in _files(queries)]
    for file in files:
        needed.add(file.needed)
        for query, plan in file.to_check:
            problems += [*plan.problems, *needed.other_shapes(plan.needed.rows, query)]
    return files, needed, problems


def _first_need(files: Sequence[_File], kind: Kind) -> TypedQuery | None:
    """Return the first query that needs a class."""
    for file in files:
        for query, plan in file.planned:
            if kind in dict(plan.needed.named):
                return query
    return None


def _files(queries: tuple[TypedQuery, ...]) -> Iterator[list[TypedQuery]]:
    """Yield the queries of each module as one list, in source order."""
    found: dict[str, list[TypedQuery]] = {}
    for file, inside in groupby(queries, lambda query: query.parsed.file):
        found.setdefault(file.path.name, []).extend(inside)
    yield from found.values()


# --- a query --------------------------------------------------------------------------------------


class _Plan(Struct, frozen=True):
    """The plan of one query: its function, and with `:batchget` the function for many keys."""

    function: PyFunction
    many: PyFunction | None
    needed: Gathered
    problems: tuple[Diagnostic, ...]


def _plan(query: TypedQuery, package: Package) -> _Plan:
    """Plan one query. Cache and reuse the plan, unless it has diagnostics."""
    plan = _plan_anywhere(query, package)
    return plan if not plan.problems else _new_plan(query, package)


@memo_by(lambda query, package: (query.digest, package.digest))
def _plan_anywhere(query: TypedQuery, package: Package) -> _Plan:
    return _new_plan(query, package)


def _new_plan(query: TypedQuery, package: Package) -> _Plan:
    planner = QueryPlanner(package)
    function, problems = plan_function(query, planner)
    many, more = plan_batch(query, function, planner)
    return _Plan(function, many, planner.gathered, (*planner.problems, *problems, *more))


def _named(query: TypedQuery, name: str, package: Package) -> _Plan:
    """Plan a query under a function name that is unique in its module."""
    if name == query.parsed.name:
        return _plan(query, package)
    plan = _plan(replace(query, parsed=replace(query.parsed, name=name)), package)
    function = replace(plan.function, query_name=query.parsed.name)
    return replace(
        plan, function=function, problems=(*plan.problems, *renamed_function(query, name))
    )


# --- a file ---------------------------------------------------------------------------------------


class _File(Struct, frozen=True):
    """The plan for all query files with the same name.

    `to_check` are the queries that have diagnostics or use row classes that the user named.
    """

    module: PyModule
    needed: Gathered
    to_check: tuple[tuple[TypedQuery, _Plan], ...]
    planned: tuple[tuple[TypedQuery, _Plan], ...]
    clashes: tuple[Diagnostic, ...]


def _files_key(package: Package, *queries: TypedQuery) -> tuple[object, ...]:
    texts = [query.parsed.file.digest for query in queries]
    return package.digest, *[query.digest for query in queries], *texts


@memo_by(_files_key)
def _file(package: Package, *asked: TypedQuery) -> _File:
    queries = [query for query in asked if not query.parsed.channel]
    names = numbered_names([query.parsed.name for query in queries], function_name)
    plans = [_named(*both, package) for both in zip(queries, names, strict=True)]
    needed = Gathered()
    for plan in plans:
        needed.add(plan.needed)
    declared = [plan_channel(query, package) for query in asked if query.parsed.channel]
    for channel in declared:
        needed.add(channel.needed)
    first = asked[0].parsed
    both = [(plan.function, plan.many) for plan in plans]
    functions = [function for some in both for function in some if function]
    sources = dict.fromkeys(query.parsed.file.path.as_posix() for query in asked)
    channels = tuple([plan.channel for plan in declared])
    module = _module(package, " and ".join(sources), first.heading, functions, channels)
    planned = tuple(zip(queries, plans, strict=True))
    to_check = tuple((query, plan) for query, plan in planned if plan.problems or plan.needed.rows)
    clashes = [problem for plan in declared for problem in plan.problems]
    clashes += check_module(module, asked)
    return _File(module, needed, to_check, planned, tuple(clashes))


def _module(
    package: Package,
    source: str,
    heading: tuple[str, ...],
    planned: Sequence[PyFunction],
    channels: tuple[PyChannel, ...],
) -> PyModule:
    """Plan the module for the query files of the same name."""
    file = source.rpartition("/")[2]
    name = module_name(file)
    functions = tuple(share_builders(list(share_shapes(planned))))
    imports = frozenset[Import]().union(*(function.imports for function in functions))
    imports = imports.union(*(channel.imports for channel in channels))
    return PyModule(
        path=package.target.out / f"{name}.py",
        source=source,
        doc=heading or (f"The queries of `{file}`.",),
        functions=functions,
        channels=channels,
        class_name=package.class_of(name),
        protocol=package.target.emit_protocol,
        imports=imports,
        first_party=package.first_party,
    )
