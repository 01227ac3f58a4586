"""Plan the Python types of stored JSON whose structure the configuration declares."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from aiosqlc.ir import JsonKind, JsonShape, SqlType
from aiosqlc.plan import pytypes
from aiosqlc.plan.documents import generic, json_attribute, member_field, scalar_type
from aiosqlc.plan.model import Import, PyClass, PyType
from aiosqlc.plan.naming import camel
from aiosqlc.plan.overrides import annotation_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiosqlc.ir import ColumnRef
    from aiosqlc.plan.gathered import Gathered
    from aiosqlc.plan.package import Package

MODULE = "stored_json"
"""The name of the generated module with the functions that read and write stored JSON."""
_READ, _CONVERT = "read_stored", "convert_stored"
_LITERAL: Import = ("typing", "Literal")


class StoredTypes(Struct, frozen=True):
    """Resolves declared structures to Python types; `gathered` collects the generated classes."""

    package: Package
    gathered: Gathered

    @property
    def shapes(self) -> Mapping[ColumnRef, JsonShape]:
        """Return the declared structures by column."""
        return self.package.stored

    def column(self, shape: JsonShape, place: str, *, not_null: bool) -> PyType:
        """Return the type of a JSON column or parameter; errors of its decoder contain `place`."""
        value = self.value(shape)
        kind = value.annotation
        read = _READ if self.package.driver.types.json_as_text else _CONVERT
        write = "write_members" if _is_generated(shape) else "write_stored"
        needed = {(self.package.in_package(MODULE), write)}
        if _is_class(kind):
            decode = f'{read}({{}}, {kind}, "{place}")'
        else:  # for type checkers, only a class is an object of type[T]
            read = f"{read}_as"
            decode = f'{read}({{}}, {kind}, "{place}")'
            if kind != pytypes.UNKNOWN.annotation:
                decode = f"cast({kind!r}, {decode})"
                needed.add(("typing", "cast"))
        needed.add((self.package.in_package(MODULE), read))
        imports = value.imports | needed
        found = PyType(kind, imports, decode, f"{write}({{}})", atomic=False)
        return found if not_null else pytypes.optional(found)

    def present(self, base: PyType, place: str) -> PyType:
        """Return the type of a text that is a required member of stored JSON."""
        found = (self.package.in_package(MODULE), "read_stored_text")
        return replace(base, imports=base.imports | {found}, decode=f'{found[1]}({{}}, "{place}")')

    def value(self, shape: JsonShape) -> PyType:
        """Return the Python type of a value with a declared structure."""
        found = self._certain(shape)
        return pytypes.optional(found) if shape.nullable else found

    def _certain(self, shape: JsonShape) -> PyType:
        if shape.kind is JsonKind.SCALAR and shape.type:
            return _scalar(shape.type)
        if shape.name:
            return self._class(shape)
        inside = [self.value(member) for _, member in shape.members]
        if shape.kind is JsonKind.ARRAY:
            return generic("list", inside or [pytypes.UNKNOWN])
        if shape.kind is JsonKind.MAP:
            return generic("dict", [pytypes.TEXT, *(inside or [pytypes.UNKNOWN])])
        if shape.kind is JsonKind.TUPLE and inside:
            return generic("tuple", inside)
        return pytypes.UNKNOWN

    def _class(self, shape: JsonShape) -> PyType:
        """Return the user's class, or the class that is generated for a JSON Schema.

        Return a dict instead if a key of the JSON Schema cannot be an attribute.
        """
        if "." in shape.name:
            annotation, imports = annotation_of(shape.name)
            return PyType(annotation, imports, atomic=False)
        models = self.package.target.models
        if any(json_attribute(key, models) != key for key, _ in shape.members):
            return generic("dict", [pytypes.TEXT, pytypes.UNKNOWN])
        name = camel(shape.name)
        name = self.package.renamed.get(("stored JSON", "", name), name)
        if camel(shape.name) not in self.gathered.stored:
            made = [
                member_field(key, self.value(member), absent=member.absent)
                for key, member in shape.members
            ]
            fields = tuple(sorted(made, key=lambda item: bool(item.default)))  # as a class must
            self.gathered.stored[camel(shape.name)] = PyClass(name, models, fields)
        return PyType(name, frozenset({(self.package.models_name, name)}), atomic=False)


def reads_stored(kind: PyType) -> bool:
    """Return whether a type's conversion reads stored JSON."""
    return any(origin.rpartition(".")[2] == MODULE for origin, _ in kind.imports)


def _is_generated(shape: JsonShape) -> bool:
    """Return whether a structure contains a generated class, which has None for absent members."""
    own = bool(shape.name) and "." not in shape.name
    return own or any(_is_generated(member) for _, member in shape.members)


def _is_class(annotation: str) -> bool:
    return "|" not in annotation and not annotation.startswith(("Literal[", "Any"))


def _scalar(kind: SqlType) -> PyType:
    """Return the type of a scalar; a text with a fixed list of choices is a Literal."""
    labels = [json.dumps(label, ensure_ascii=False) for label in kind.labels]
    if labels and not any("{}" in label for label in labels):
        return PyType(f"Literal[{', '.join(labels)}]", frozenset({_LITERAL}))
    return scalar_type(kind)
