"""Compare JSON values with a declared structure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from aiosqlc.ir import JsonKind, JsonShape

_TEXTS: dict[str, Callable[[str], object]] = {
    "timestamptz": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "uuid": UUID,
}


def misfit(value: Any, shape: JsonShape, at: str = "the value") -> str:
    """Return the first reason why a JSON value does not have the structure `shape`, or ''.

    The reason names members and types, and never contains a value. A class whose members are
    unknown accepts every value.
    """
    if shape.kind is JsonKind.ANY:
        return ""
    if value is None:
        return "" if shape.nullable else f"{at} is null"
    if shape.kind is JsonKind.SCALAR:
        return _of_scalar(value, shape, at)
    wanted = list if shape.kind in {JsonKind.ARRAY, JsonKind.TUPLE} else dict
    if not isinstance(value, wanted):
        return f"{at} is not {'a list' if wanted is list else 'an object'}"
    return next(filter(None, _inside(value, shape, at)), "")


def _inside(value: Any, shape: JsonShape, at: str) -> Iterator[str]:
    """Yield the result of `misfit` for each member or element of a value."""
    if shape.kind is JsonKind.TUPLE and len(value) != len(shape.members):
        yield f"{at} does not have {len(shape.members)} elements"
    elif shape.kind is JsonKind.TUPLE:
        for item, (_, member) in zip(value, shape.members, strict=True):
            yield misfit(item, member, f"an element of {at}")
    elif shape.kind is JsonKind.ARRAY:
        yield from (misfit(item, shape.members[0][1], f"an element of {at}") for item in value)
    elif shape.kind is JsonKind.MAP:  # its keys are data
        member = shape.members[0][1]
        yield from (misfit(item, member, f"a member of {at}") for item in value.values())
    else:
        for key, member in shape.members:
            inner = f"`{key}`" if at == "the value" else f"{at[:-1]}.{key}`"
            inner = inner if at.endswith("`") or at == "the value" else f"`{key}` of {at}"
            if key in value:
                missing = value[key] is None and member.absent and not shape.name.count(".")
                yield "" if missing else misfit(value[key], member, inner)
            elif not member.absent:
                yield f"{inner} is missing"


def _of_scalar(value: Any, shape: JsonShape, at: str) -> str:
    name = shape.type.name if shape.type else ""
    if name == "bool":
        return "" if isinstance(value, bool) else f"{at} is not a boolean"
    if name in {"int8", "float8"}:
        # As the decoder, which refuses 1.0 for an integer, and a number out of range.
        wanted = int if name == "int8" else int | float
        number = isinstance(value, wanted) and not isinstance(value, bool)
        kind = "an integer" if name == "int8" else "a number"
        return "" if number and math.isfinite(value) else f"{at} is not {kind}"
    if name == "numeric":
        return "" if isinstance(value, int | float | str) else f"{at} is not a number"
    if not isinstance(value, str):
        return f"{at} is not a text"
    choices = shape.type.labels if shape.type else ()
    if choices and value not in choices:
        return f"{at} is not one of the declared texts"
    try:
        _TEXTS.get(name, str)(value)
    except ValueError:
        return f"{at} does not have its declared format"
    return ""
