"""Let queries with equal row fields share a row class and the function that builds it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from msgspec.structs import replace

from aiosqlc.plan.model import Import, PyField, PyFunction
from aiosqlc.plan.naming import snake


def share_shapes(functions: Iterable[PyFunction]) -> Iterator[PyFunction]:
    """If a row class has the same fields as an earlier class of the module, make it an alias."""
    first: dict[tuple[PyField, ...], str] = {}
    for function in functions:
        row = function.row.cls if function.row else None
        classes = []
        for cls in function.own_classes:
            known = first.setdefault(cls.fields, cls.name) if cls == row else cls.name
            classes.append(cls if known == cls.name else replace(cls, alias=known))
        alike = classes == list(function.own_classes)
        yield function if alike else replace(function, own_classes=tuple(classes))


_BUILDER_IMPORTS: frozenset[Import] = frozenset(
    {("collections.abc", "Iterable"), ("typing", "Any")}
)


def share_builders(functions: Sequence[PyFunction]) -> list[PyFunction]:
    """Extract one builder function for all queries that convert rows to a class in the same way.

    If only one query needs a conversion, it remains in the function's body.
    """
    keys = [_built(function) for function in functions]
    uses = Counter(key for key in keys if key)
    taken = {param.name for function in functions for param in function.params}
    taken |= {function.name for function in functions}
    names: dict[object, str] = {}
    found = []
    for function, key in zip(functions, keys, strict=True):
        row = function.row
        if row is None or row.cls is None or key is None or uses[key] < 2:
            found.append(function)
            continue
        defines = key not in names
        if defines:
            names[key] = _free(f"_{snake(row.cls.name)}", taken)
        row = replace(row, builder=names[key])
        imports = function.imports | _BUILDER_IMPORTS if defines else function.imports
        found.append(replace(function, row=row, defines_builder=defines, imports=imports))
    return found


def _built(function: PyFunction) -> tuple[object, ...] | None:
    """Return a value that is equal for equal row conversions, or None if no builder is needed."""
    row = function.row
    if row is None or row.cls is None or row.starmapped or row.nest:
        return None
    return (_real_name(function, row.cls.name), row.cls.fields, row.columns, row.nested)


def _real_name(function: PyFunction, name: str) -> str:
    """Return the name of the class that an alias names; return any other name unchanged."""
    aliases = {cls.name: cls.alias for cls in function.own_classes if cls.alias}
    return aliases.get(name, name)


def _free(name: str, taken: set[str]) -> str:
    """Return a name that the module does not use yet, and reserve the name."""
    while name in taken:
        name += "_"
    taken.add(name)
    return name
