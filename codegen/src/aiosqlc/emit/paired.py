"""Make the functions of a configuration entry use the classes of another entry (`same_as`)."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from aiosqlc.config.project import QuerySet
from aiosqlc.diagnostics import Diagnostic, Label
from aiosqlc.drivers import driver_of
from aiosqlc.emit.bodies import returns
from aiosqlc.ir import TypedQuery
from aiosqlc.plan.documents import MAKER
from aiosqlc.plan.model import Import, PyClass, PyFunction, PyModule, PyType

# The modules of a package whose classes a caller can see, in results or as parameters.
_SHARED: Final = frozenset({"models", "keyset"})


class Planned(Struct, frozen=True):
    """A configuration entry with its planned modules."""

    entry: QuerySet
    modules: tuple[PyModule, ...]
    queries: tuple[TypedQuery, ...]

    @property
    def package(self) -> str:
        """Return the dotted name of the entry's package."""
        return self.entry.python.package if self.entry.python else ""

    @property
    def driver(self) -> str:
        """Return the name of the driver that the entry's functions use."""
        return driver_of(
            self.entry.python.driver if self.entry.python else "", self.entry.engine
        ).name

    @property
    def functions(self) -> dict[str, tuple[PyFunction, PyModule]]:
        """Return each function of the entry with its module, by the name of its query."""
        return {f.query_name: (f, module) for module in self.modules for f in module.functions}


def paired_interface(
    second: Planned, known: Mapping[str, Planned]
) -> tuple[tuple[PyModule, ...], list[Diagnostic]]:
    """Return the modules of an entry that has the option `same_as`.

    `known` maps package names to the earlier entries.
    """
    wanted = second.entry.python.same_as if second.entry.python else ""
    if wanted in known:
        return paired(second, known[wanted])
    problem = Diagnostic(
        "E352",
        f"`same_as: {wanted}` is not the package of an earlier entry",
        hint="write the `package` of the other engine's entry, and list that entry first",
    )
    return (), [problem]


def paired(second: Planned, first: Planned) -> tuple[tuple[PyModule, ...], list[Diagnostic]]:
    """Make the second entry's modules use the first's classes; also return differing functions.

    If there are differences, the modules must not be rendered, because callers of the two packages
    would see the differences.
    """
    problems = list(_differences(second, first))
    modules = tuple(
        _on_shared_classes(module, second, first)
        for module in second.modules
        if module.functions or module.channels
    )
    return modules, problems


def _differences(second: Planned, first: Planned) -> Iterator[Diagnostic]:
    theirs, ours = first.functions, second.functions
    for name in [*theirs, *(name for name in ours if name not in theirs)]:
        if name not in ours or name not in theirs:
            has, lacks = (first, second) if name in theirs else (second, first)
            yield _missing(name, has, lacks)
            continue
        functions = theirs[name][0], ours[name][0]
        columns = zip(_classes(functions[0], first), _classes(functions[1], second), strict=False)
        shared = [("columns", left, right) for left, right in columns]
        for what, left, right in (*_compared(*functions), *shared):
            if left != right:
                yield _different(name, what, (first, left, right), (second, right, left))


Shown = tuple[str, ...]


def _compared(left: PyFunction, right: PyFunction) -> Iterator[tuple[str, Shown, Shown]]:
    yield "parameters", _parameters(left), _parameters(right)
    yield "results", _results(left), _results(right)
    if left.row and right.row and left.row.cls and right.row.cls:
        yield "columns", _fields(left.row.cls), _fields(right.row.cls)
    if left.decoders and right.decoders:
        yield "documents", _documents(left), _documents(right)
    yield "arguments of a batch", _batch(left), _batch(right)


def _parameters(function: PyFunction) -> Shown:
    return tuple(
        f"{param.name}: {_shown(param.type)}{f' = {param.default}' if param.default else ''}"
        for param in function.params
    )


def _results(function: PyFunction) -> Shown:
    columns = function.row.columns if function.row and not function.row.cls else ()
    foreign = [_shown(kind) for kind in columns if _shown(kind) != kind.annotation]
    return (returns(replace(function, synchronous=False)), *foreign)


def _fields(cls: PyClass) -> Shown:
    return tuple(f"{item.name}: {_shown(item.type)}" for item in cls.fields)


def _documents(function: PyFunction) -> Shown:
    """Return the fields of all classes that a function decodes JSON to."""
    classes = (cls for cls in function.own_classes if cls.name in _made_of_json(function))
    return tuple(f"{cls.name}.{field}" for cls in classes for field in _fields(cls))


def _made_of_json(function: PyFunction) -> set[str]:
    """Return the names of the classes that a function decodes JSON to, including nested classes."""
    inside = {cls.name: cls for cls in function.own_classes}
    wanted = [word for item in function.decoders for word in _words(item.type)]
    for name in wanted:  # it grows: a field's type may be a class, too
        for item in inside[name].fields if name in inside else ():
            wanted += [word for word in _words(item.type) if word not in wanted]
    return inside.keys() & set(wanted)


def _words(kind: PyType) -> list[str]:
    return re.findall(r"\w+", kind.annotation)


def _shown(kind: PyType) -> str:
    """Return the annotation of a type; a class of a library gets its full name."""
    modules = {
        name: module
        for module, name in kind.imports_in(kind.annotation)
        if module.partition(".")[0] not in sys.stdlib_module_names
        and module.rpartition(".")[2] not in {"models", "executor"}  # written here
    }
    return re.sub(
        r"\w+",
        lambda word: f"{modules[word[0]]}.{word[0]}" if word[0] in modules else word[0],
        kind.annotation,
    )


def _classes(function: PyFunction, side: Planned) -> Iterator[Shown]:
    """Yield the fields of each class of `models.py` that a function uses."""
    classes = {cls.name: cls for module in side.modules for cls in module.classes}
    wanted = sorted(name for _, name in function.imports if name in classes)
    for name in wanted:  # the list grows, because a field's type may also be a class
        used = {found for item in classes[name].fields for _, found in item.type.imports}
        wanted += sorted(used & classes.keys() - set(wanted))
        yield _fields(classes[name])


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
    one_engine = left[0].entry.engine is right[0].entry.engine
    shown = [
        (side, f"{side.driver if one_engine else side.entry.engine.value}: {_only(mine, other)}")
        for side, mine, other in (left, right)
    ]
    hint = "make the types equal with a cast, COALESCE, an override or a change of the schema"
    apart = "make the types equal with a cast, or give each driver its own entry and `out` folder"
    return Diagnostic(
        "E351",
        f"`{name}` has different {what} on the two {'drivers' if one_engine else 'engines'}",
        tuple(_labels(name, shown)),
        hint=apart if one_engine else hint,
    )


def _only(mine: Shown, other: Shown) -> str:
    """Return as a text the items of `mine` that `other` does not have.

    If `other` has all items, name all items of `mine`.
    """
    return ", ".join([item for item in mine if item not in other] or mine) or "none"


def _labels(name: str, shown: Sequence[tuple[Planned, str]]) -> Iterator[Label]:
    for side, text in shown:
        for query in side.queries:
            if query.parsed.name == name:
                yield Label(query.parsed.file, query.parsed.name_span, text)


def _on_shared_classes(module: PyModule, second: Planned, first: Planned) -> PyModule:
    """Import shared classes from the first entry's package instead of defining them twice."""
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
    needed = needed.union(*(channel.imports for channel in module.channels))
    imports = frozenset(_moved(item, second, first) for item in kept) | needed
    return replace(module, functions=functions, imports=imports)


def _shared(function: PyFunction, second: Planned, first: Planned) -> PyFunction:
    found = first.functions.get(function.query_name)
    if found is None:
        return function
    origin = _in_package(first, found[1].path.stem)
    inside = _made_of_json(function) - {w for d in function.decoders for w in _words(d.type)}
    classes = {(origin, cls.name) for cls in function.own_classes if cls.name not in inside}
    only_fields = {
        imported
        for cls in function.own_classes
        for item in cls.fields
        for imported in item.type.imports
    }
    written = [text for p in function.params for text in (p.type.annotation, p.expression)]
    if any(cls.name == function.batch for cls in function.own_classes):
        written = [*function.arguments]
    used = {item for param in function.params for item in param.type.imports_in(*written)}
    if function.row:
        used |= function.row.imports
    for decoder in function.decoders:
        used |= decoder.type.imports_in(decoder.type.annotation)
        used |= {item for item in function.imports if item[1] == MAKER}
    kept = {item for item in function.imports if item not in only_fields or item in used}
    moved = {_moved(item, second, first) for item in kept}
    return replace(function, own_classes=(), imports=frozenset(moved | classes))


def _moved(item: Import, second: Planned, first: Planned) -> Import:
    """Return an import; if both packages share the module, import it from the first package."""
    package, _, module = item[0].rpartition(".")
    shared = package == second.package and module in _SHARED
    return (_in_package(first, module), item[1]) if shared else item


def _in_package(first: Planned, module: str) -> str:
    """Return the import path from the second entry's package to a module of the first."""
    return f"{first.package}.{module}" if first.package else f"..{module}"
