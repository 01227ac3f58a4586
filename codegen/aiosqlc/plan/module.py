"""Plans the modules of one query set: one per query file, and `models` for what they share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace

from aiosqlc.config.project import PythonTarget
from aiosqlc.diagnostics import Diagnostic
from aiosqlc.hints import hinted_types
from aiosqlc.kept import Parts, kept, kept_by
from aiosqlc.parse.scanner import Dialect
from aiosqlc.plan.clashes import check_module
from aiosqlc.plan.function import plan_function
from aiosqlc.plan.gathered import Gathered
from aiosqlc.plan.model import Import, PyFunction, PyModule
from aiosqlc.plan.models import models_module
from aiosqlc.plan.naming import identifier, snake
from aiosqlc.plan.package import Package, package_of
from aiosqlc.plan.rows import QueryPlanner
from aiosqlc.plan.sharing import share_shapes
from aiosqlc.stages import Analysis, TypedQuery


def plan_modules(
    target: PythonTarget, analysis: Analysis, engine: Dialect = Dialect.POSTGRESQL
) -> tuple[tuple[PyModule, ...], list[Diagnostic]]:
    """Plan every module of a query set. With diagnostics, the modules are not to be printed."""
    overrides = (*hinted_types(analysis.queries), *target.overrides)
    package = package_of(
        replace(target, overrides=overrides), analysis.catalog, engine, analysis.queries
    )
    needed = Gathered()
    problems: list[Diagnostic] = []
    modules = []
    for queries in _files(analysis.queries):
        functions = []
        for query in queries:
            plan = _plan(query, package)
            needed.add(plan.needed)
            problems += [*plan.problems, *needed.other_shapes(plan.needed.rows, query)]
            functions.append(plan.function)
        first = queries[0].parsed
        source = first.file.path.as_posix()
        modules.append((_module(package, source, first.heading, *functions), queries))
    models = models_module(package, needed)
    for module, queries in modules:
        problems += _check(module, *queries)
    problems += _check(models)
    planned = tuple(module for module, _ in modules)
    return (*([models] if models.enums or models.classes else []), *planned), problems


def _files(queries: tuple[TypedQuery, ...]) -> Iterator[list[TypedQuery]]:
    """Yield the queries of each file together, in order."""
    found: dict[str, list[TypedQuery]] = {}
    for query in queries:
        found.setdefault(str(query.parsed.file.path), []).append(query)
    yield from found.values()


# --- a query --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Plan:
    function: PyFunction
    needed: Gathered
    problems: tuple[Diagnostic, ...]


def _plan(query: TypedQuery, package: Package) -> _Plan:
    """Plan one query; a plan without problems is good wherever the query stands."""
    plan = _kept_plan(query, package)
    return plan if not plan.problems else _new_plan(query, package)


_TYPED = [item.name for item in fields(TypedQuery) if item.name != "parsed"]
_PARSED = ("name", "command", "sql", "doc", "params", "hints", "dynamic", "variants", "options")


def _read(query: TypedQuery, package: Package) -> Parts:
    """Return everything of a query but its place."""
    parsed = query.parsed
    return (
        package,
        *[getattr(query, name) for name in _TYPED],
        *[getattr(parsed, name) for name in _PARSED],
    )


@kept_by(_read)
def _kept_plan(query: TypedQuery, package: Package) -> _Plan:
    return _new_plan(query, package)


def _new_plan(query: TypedQuery, package: Package) -> _Plan:
    planner = QueryPlanner(package)
    function, problems = plan_function(query, planner)
    return _Plan(function, planner.gathered, (*planner.problems, *problems))


# --- a module -------------------------------------------------------------------------------------


@kept
def _module(
    package: Package, source: str, heading: tuple[str, ...], *planned: PyFunction
) -> PyModule:
    """Plan the module of one query file."""
    file = source.rpartition("/")[2]
    name = identifier(snake(file.removesuffix(".sql")))
    functions = tuple(share_shapes(planned))
    imports = frozenset[Import]().union(*(function.imports for function in functions))
    return PyModule(
        path=package.target.out / f"{name}.py",
        source=source,
        doc=heading or (f"The queries of {file}.",),
        functions=functions,
        class_name=package.class_of(name),
        protocol=package.target.emit_protocol,
        imports=imports,
        first_party=package.first_party,
    )


@kept
def _check(module: PyModule, *queries: TypedQuery) -> list[Diagnostic]:
    return check_module(module, queries)
