"""Two engines, one interface: an entry whose functions are another's, on the same classes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from aiosqlc.config.project import QuerySet
from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.emit.bodies import returns
from aiosqlc.ir import TypedQuery
from aiosqlc.plan.model import Import, PyClass, PyFunction, PyModule


@dataclass(frozen=True)
class Planned:
    """An entry of the configuration whose modules are planned."""

    entry: QuerySet
    modules: tuple[PyModule, ...]
    queries: tuple[TypedQuery, ...]

    @property
    def package(self) -> str:
        """The dotted name of its package."""
        return self.entry.python.package if self.entry.python else ""

    @property
    def functions(self) -> dict[str, tuple[PyFunction, PyModule]]:
        """Every function by its query's name, with its module."""
        return {f.query_name: (f, module) for module in self.modules for f in module.functions}


def paired_interface(
    second: Planned, known: Mapping[str, Planned]
) -> tuple[tuple[PyModule, ...], list[Diagnostic]]:
    """Return the modules of an entry that says `same_as`; `known` are the entries before it."""
    wanted = second.entry.python.same_as if second.entry.python else ""
    if wanted in known:
        return paired(second, known[wanted])
    problem = Diagnostic(
        "E352",
        f"`same_as: {wanted}` names no package of an entry above",
        hint="name the `package` of the other engine's entry, which comes first",
    )
    return (), [problem]


def paired(second: Planned, first: Planned) -> tuple[tuple[PyModule, ...], list[Diagnostic]]:
    """Return the second entry's modules on the first one's classes, and every difference.

    With differences the modules are not to be printed: a caller could tell the engines apart.
    """
    problems = list(_differences(second, first))
    modules = tuple(
        _on_shared_classes(module, second, first) for module in second.modules if module.functions
    )
    return modules, problems


def _differences(second: Planned, first: Planned) -> Iterator[Diagnostic]:
    theirs, ours = first.functions, second.functions
    for name in [*theirs, *(name for name in ours if name not in theirs)]:
        if name not in ours or name not in theirs:
            has, lacks = (first, second) if name in theirs else (second, first)
            yield _missing(name, has, lacks)
            continue
        for what, left, right in _compared(theirs[name][0], ours[name][0]):
            if left != right:
                yield _different(name, what, (first, left, right), (second, right, left))


Shown = tuple[str, ...]


def _compared(left: PyFunction, right: PyFunction) -> Iterator[tuple[str, Shown, Shown]]:
    yield "parameters", _parameters(left), _parameters(right)
    yield "results", (returns(left),), (returns(right),)
    if left.row and right.row and left.row.cls and right.row.cls:
        yield "columns", _fields(left.row.cls), _fields(right.row.cls)
    yield "arguments of a batch", _batch(left), _batch(right)


def _parameters(function: PyFunction) -> Shown:
    return tuple(
        f"{param.name}: {param.type.annotation}{f' = {param.default}' if param.default else ''}"
        for param in function.params
    )


def _fields(cls: PyClass) -> Shown:
    return tuple(f"{item.name}: {item.type.annotation}" for item in cls.fields)


def _batch(function: PyFunction) -> Shown:
    classes = (cls for cls in function.own_classes if function.batch == cls.name)
    return tuple(shown for cls in classes for shown in _fields(cls))


def _missing(name: str, has: Planned, lacks: Planned) -> Diagnostic:
    where = lacks.entry.engine.value
    return Diagnostic(
        "E350",
        f"`{name}` is missing for {where}",
        tuple(_labels(name, [(has, f"only {has.entry.engine.value} has it")])),
        hint="both engines must have the same queries",
    )


def _different(
    name: str, what: str, left: tuple[Planned, Shown, Shown], right: tuple[Planned, Shown, Shown]
) -> Diagnostic:
    shown = [
        (side, f"{side.entry.engine.value}: {_only(mine, other)}")
        for side, mine, other in (left, right)
    ]
    return Diagnostic(
        "E351",
        f"`{name}` has different {what} on the two engines",
        tuple(_labels(name, shown)),
        hint="make them equal: by a cast, COALESCE, an override or the schema",
    )


def _only(mine: Shown, other: Shown) -> str:
    """Return what differs; everything where only the order does."""
    return ", ".join([item for item in mine if item not in other] or mine) or "none"


def _labels(name: str, shown: Sequence[tuple[Planned, str]]) -> Iterator[Label]:
    for side, text in shown:
        for query in side.queries:
            if query.parsed.name == name:
                yield Label(query.parsed.file, query.parsed.name_span, text)


def _on_shared_classes(module: PyModule, second: Planned, first: Planned) -> PyModule:
    """Import from the first entry's package what the second would define again."""
    functions = tuple(_shared(function, second, first) for function in module.functions)
    gone = frozenset[Import]().union(
        *(
            item.type.imports
            for function in module.functions
            for cls in function.own_classes
            for item in cls.fields
        )
    )
    kept = frozenset(item for item in module.imports if item not in gone)
    needed = frozenset[Import]().union(*(function.imports for function in functions))
    imports = frozenset(_moved(item, second, first) for item in kept) | needed
    return replace(module, functions=functions, imports=imports)


def _shared(function: PyFunction, second: Planned, first: Planned) -> PyFunction:
    found = first.functions.get(function.query_name)
    if found is None:
        return function
    origin = f"{first.package}.{found[1].path.stem}"
    classes = {(origin, cls.name) for cls in function.own_classes}
    only_fields = {
        imported
        for cls in function.own_classes
        for item in cls.fields
        for imported in item.type.imports
    }
    used = {imported for param in function.params for imported in param.type.imports}
    if function.row:
        used |= function.row.imports
    kept = {item for item in function.imports if item not in only_fields or item in used}
    moved = {_moved(item, second, first) for item in kept}
    return replace(function, own_classes=(), imports=frozenset(moved | classes))


def _moved(item: Import, second: Planned, first: Planned) -> Import:
    models = f"{second.package}.models"
    return (f"{first.package}.models", item[1]) if item[0] == models else item
