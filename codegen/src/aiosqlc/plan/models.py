"""Plan `models.py`, the module with the classes that several queries share."""

from __future__ import annotations

from collections.abc import Sequence

from aiosqlc.plan.gathered import Gathered
from aiosqlc.plan.model import Import, PyClass, PyModule
from aiosqlc.plan.package import Package
from aiosqlc.store.digest import digest_of
from aiosqlc.store.memo import memo_by


def _key(package: Package, needed: Gathered) -> tuple[object, ...]:
    """Return the cache key of `models.py`: the class names, and the fields of named row classes."""
    names = (*needed.enums, "", *needed.composites, "", *needed.tables, "", *needed.stored)
    return package.digest, names, digest_of(needed.rows)


@memo_by(_key)
def models_module(package: Package, needed: Gathered) -> PyModule:
    """Plan `models.py`: the enums and classes that several queries use."""
    classes = needed.classes
    imports = frozenset[Import]().union(
        *(item.type.imports_in(item.type.annotation) for cls in classes for item in cls.fields)
    )
    return PyModule(
        path=package.target.out / "models.py",
        source="",
        doc=("Row classes and enums that the query modules share.",),
        enums=tuple(needed.enums.values()),
        classes=_in_order(classes),
        imports=frozenset(item for item in imports if item[0] != package.models_name),
        first_party=package.first_party,
    )


def _in_order(classes: Sequence[PyClass]) -> tuple[PyClass, ...]:
    """Sort classes by name, but each class after the classes that its fields use."""
    ordered: dict[str, PyClass] = {}
    by_name = {cls.name: cls for cls in sorted(classes, key=lambda cls: cls.name)}

    def visit(cls: PyClass) -> None:
        if cls.name in ordered:
            return
        for item in cls.fields:
            used = {name for _, name in item.type.imports} & by_name.keys()
            for name in sorted(used - {cls.name}):
                visit(by_name[name])
        ordered[cls.name] = cls

    for cls in by_name.values():
        visit(cls)
    others = [cls for cls in classes if cls.fields != by_name[cls.name].fields]  # a clash, said
    return (*ordered.values(), *others)
