"""Resolve the Python types in overrides: their annotations, imports and conversions."""

from __future__ import annotations

import re

from msgspec import Struct
from msgspec.structs import replace

from aiosqlc.config.project import ModelKind, Override
from aiosqlc.ir import SqlType
from aiosqlc.parse.typenames import BARE, LISTS
from aiosqlc.plan.model import Import, PyType

JSON = frozenset({"json", "jsonb"})


def overridden(
    override: Override, sql: SqlType, models: ModelKind, *, json_as_text: bool = True
) -> PyType:
    """Return an override's Python type; without `decode` and `encode`, JSON is converted to it.

    `json_as_text` means that the driver returns JSON as text. Otherwise, the override converts the
    value that the driver has decoded.
    """
    annotation, imports = annotation_of(override.python_type)
    decode, decode_imports = _call(override.decode)
    encode, encode_imports = _call(override.encode)
    if not override.decode and not override.encode:
        if sql.name in JSON:
            decode, encode, decode_imports = _json(annotation, models, as_text=json_as_text)
        elif annotation.isidentifier() and annotation != "Any":
            decode = f"{annotation}({{}})"  # a NewType, enum or number converts by a call
    return PyType(
        annotation, imports | decode_imports | encode_imports, decode, encode, atomic=False
    )


class OfArray(Struct, frozen=True):
    """An override for the elements of an array, with the collection type of the array.

    `holder` is the collection class in the type, or `list` if the type is the type of an element.
    """

    element: Override
    holder: str = "list"


def of_array(override: Override) -> OfArray | None:
    """Return the override for an array's elements, or None if it is for the whole array.

    The type of the override is the type of an element, or a list of such elements. If the override
    has functions, they convert the list.
    """
    inside = _LIST.fullmatch(override.python_type.strip())
    if inside is None or inside[1].rpartition(".")[2] not in LISTS:
        return None if override.python_type in _ANYTHING else OfArray(override)
    if override.decode or override.encode:
        return None
    item = inside[2].strip().removesuffix(", ...").removesuffix("| None").strip()
    name = inside[1].rpartition(".")[2]
    return OfArray(replace(override, python_type=item), name if name in _MADE else "list")


_LIST = re.compile(r"([\w.]+)\[(.*)\]", re.DOTALL)
_ANYTHING = frozenset({"Any", "typing.Any", "object"})
_MADE = frozenset({"tuple", "set", "frozenset"})


def _json(
    annotation: str, models: ModelKind, *, as_text: bool
) -> tuple[str, str, frozenset[Import]]:
    """Return the conversions between JSON and an object of the override's type."""
    if annotation == "str":
        return "", "", frozenset()
    if models is ModelKind.PYDANTIC:
        adapter = f"TypeAdapter({annotation})"
        imports = frozenset({("pydantic", "TypeAdapter")})
        validate = "validate_json" if as_text else "validate_python"
        return f"{adapter}.{validate}({{}})", f"{adapter}.dump_json({{}}).decode()", imports
    function = "msgspec.json.decode" if as_text else "msgspec.convert"
    decode = f"{function}({{}}, type={annotation})"
    return decode, "msgspec.json.encode({}).decode()", frozenset({("msgspec", "")})


def annotation_of(dotted: str) -> tuple[str, frozenset[Import]]:
    """Convert `app.models.Prefs` or `list[app.models.Tag]` to an annotation and its imports."""
    imports: set[Import] = set()
    text = dotted
    for word in _names(dotted):
        module, _, name = word.rpartition(".")
        if module:
            text = text.replace(word, name)
        if module and module != "builtins":
            imports.add((module, name))
        if word in BARE:
            imports.add(BARE[word])
    return text, frozenset(imports)


def imports_of(override: Override) -> frozenset[Import]:
    """Return the imports that an override needs."""
    texts = (override.python_type, override.decode, override.encode)
    return frozenset().union(*(annotation_of(text)[1] for text in texts))


def _names(text: str) -> list[str]:
    separated = "".join(char if char.isalnum() or char in "._" else " " for char in text)
    return sorted(set(separated.split()), key=len, reverse=True)


def _call(dotted: str) -> tuple[str, frozenset[Import]]:
    if not dotted:
        return "", frozenset()
    name, imports = annotation_of(dotted)
    return f"{name}({{}})", imports
