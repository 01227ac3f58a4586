"""Derive Python types for nullable values and lists."""

from __future__ import annotations

from msgspec.structs import replace

from aiosqlc.plan.model import PyType

UNKNOWN = PyType("Any", frozenset({("typing", "Any")}), atomic=False)
TEXT = PyType("str")


def optional(base: PyType) -> PyType:
    """Return the type of a nullable value."""
    annotation = base.annotation
    if annotation not in {"Any", "None"} and not annotation.endswith("| None"):
        annotation = f"{annotation} | None"
    return PyType(
        annotation,
        base.imports,
        _unless_none(base.decode),
        _unless_none(base.encode),
        base.atomic,
    )


def _unless_none(expression: str) -> str:
    return f"None if {{}} is None else {expression}" if expression else ""


def list_of(element: PyType, *, parameter: bool = False, exactly: bool = False) -> PyType:
    """Return the type of an array: a list in results, or any sequence as a parameter.

    With `exactly`, the driver accepts only a list for an array.
    """
    name = "Sequence" if parameter else "list"
    imports = element.imports | ({("collections.abc", "Sequence")} if parameter else frozenset())
    return PyType(
        f"{name}[{element.annotation}]",
        imports,
        _each(element.decode),
        _each(element.encode) or ("list({})" if parameter and exactly else ""),
        atomic=False,
    )


def held(array: PyType, holder: str, *, parameter: bool) -> PyType:
    """Return the type of an array for which an override asks for a tuple or a set."""
    if holder == "list" or parameter:
        return array
    inside = array.annotation.removeprefix("list")
    inside = f"{inside[:-1]}, ...]" if holder == "tuple" else inside
    decode = f"{holder}({array.decode or '{}'})"
    return replace(array, annotation=f"{holder}{inside}", decode=decode)


def _each(expression: str) -> str:
    return f"[{expression.replace('{}', 'item')} for item in {{}}]" if expression else ""
