"""Python types that the user names: their annotations, imports and conversions."""

from __future__ import annotations

from aiosqlc.config.project import ModelKind, Override
from aiosqlc.ir import SqlType
from aiosqlc.plan.model import Import, PyType

_KNOWN: dict[str, Import] = {
    "Any": ("typing", "Any"),
    "Literal": ("typing", "Literal"),
    "Decimal": ("decimal", "Decimal"),
    "UUID": ("uuid", "UUID"),
    "date": ("datetime", "date"),
    "datetime": ("datetime", "datetime"),
    "time": ("datetime", "time"),
    "timedelta": ("datetime", "timedelta"),
}
_JSON = frozenset({"json", "jsonb"})


def overridden(
    override: Override, sql: SqlType, models: ModelKind, *, json_as_text: bool = True
) -> PyType:
    """Return the type an override names; JSON is decoded into it where nothing else is said.

    `json_as_text` is whether the driver leaves that to us; else what it has decoded is converted.
    """
    annotation, imports = annotation_of(override.python_type)
    decode, decode_imports = _call(override.decode)
    encode, encode_imports = _call(override.encode)
    if not override.decode and not override.encode:
        if sql.name in _JSON:
            decode, encode, decode_imports = _json(annotation, models, as_text=json_as_text)
        elif annotation.isidentifier() and annotation != "Any":
            decode = f"{annotation}({{}})"  # a NewType, an enum, a number: called, it converts
    return PyType(
        annotation, imports | decode_imports | encode_imports, decode, encode, atomic=False
    )


def _json(
    annotation: str, models: ModelKind, *, as_text: bool
) -> tuple[str, str, frozenset[Import]]:
    """Return how JSON becomes an object of the type and back."""
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
    """Turn `app.models.Prefs` or `list[app.models.Tag]` into an annotation and its imports."""
    imports: set[Import] = set()
    text = dotted
    for word in _names(dotted):
        module, _, name = word.rpartition(".")
        if module:
            text = text.replace(word, name)
        if module and module != "builtins":
            imports.add((module, name))
        if word in _KNOWN:
            imports.add(_KNOWN[word])
    return text, frozenset(imports)


def _names(text: str) -> list[str]:
    separated = "".join(char if char.isalnum() or char in "._" else " " for char in text)
    return sorted(set(separated.split()), key=len, reverse=True)


def _call(dotted: str) -> tuple[str, frozenset[Import]]:
    if not dotted:
        return "", frozenset()
    name, imports = annotation_of(dotted)
    return f"{name}({{}})", imports
