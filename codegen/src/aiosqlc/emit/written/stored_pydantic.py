"""Read and write stored JSON whose structure the configuration declares."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from math import isfinite
from typing import Any, TypeVar, cast

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, to_json

_T = TypeVar("_T")
_ANY: TypeAdapter[Any] = TypeAdapter(Any)
_ENDLESS = ("null", "NaN", "Infinity")  # the words that pydantic writes for NaN and infinity

# A text, which stays, or a number with a fraction of zero, which JSON Schema calls an integer.
_WHOLE = re.compile(r'("(?:[^"\\]|\\.)*")|(?<![\d.])(-?\d+)\.0+(?![\d.eE])')


class StoredJsonError(ValueError):
    """Raised for a stored JSON value that does not have its declared structure.

    Also raised for a value that JSON cannot represent.
    """


def read_stored(text: Any, kind: type[_T], place: str) -> _T:
    """Decode a JSON text to a class. `place` is the query and the column, for errors."""
    found: _T = read_stored_as(text, kind, place)
    return found


def read_stored_as(text: Any, kind: Any, place: str) -> Any:
    """Decode a JSON text to any type."""
    if text is None:
        raise StoredJsonError(_missing(place))
    try:
        return _decoded(text, kind)
    except (ValidationError, RecursionError) as error:
        raise StoredJsonError(f"{place}: {error}") from error


def convert_stored(value: Any, kind: type[_T], place: str) -> _T:
    """Convert a JSON value, which the driver has already decoded, to a class."""
    found: _T = convert_stored_as(value, kind, place)
    return found


def convert_stored_as(value: Any, kind: Any, place: str) -> Any:
    """Convert a JSON value, which the driver has already decoded, to any type."""
    try:
        text = to_json(value).decode()
    except (PydanticSerializationError, RecursionError) as error:
        raise StoredJsonError(f"{place}: {error}") from error
    return read_stored_as(text, kind, place)


def read_stored_text(text: str | None, place: str) -> str:
    """Return the text of a member that is declared as required; raise an error for None."""
    if text is None:
        raise StoredJsonError(_missing(place))
    return text


def write_stored(value: Any) -> str:
    """Encode a value as a JSON text. Raises StoredJsonError for NaN and infinity."""
    text = to_json(value).decode()
    if any(word in text for word in _ENDLESS):
        _refuse_endless(_ANY.dump_python(value, warnings=False))
    return text


def write_members(value: Any) -> str:
    """Encode an object as a JSON text. Members whose value and default are None are left out."""
    return write_stored(_without_defaults(value))


def _refuse_endless(value: Any) -> None:
    """Raise StoredJsonError for NaN and infinity."""
    if isinstance(value, float) and not isfinite(value):
        raise StoredJsonError(f"JSON cannot represent the number {value}")
    if isinstance(value, list | tuple | set | frozenset):
        for item in cast("Iterable[Any]", value):
            _refuse_endless(item)
    if isinstance(value, dict):
        for item in cast("dict[str, Any]", value).values():
            _refuse_endless(item)


def _missing(place: str) -> str:
    return f"{place}: the value is NULL, but its declared structure does not allow NULL"


def _decoded(text: Any, kind: Any) -> Any:
    try:
        return _adapter(kind).validate_json(text, strict=True)
    except ValidationError:
        whole = _with_integers(text)
        if whole == text:
            raise
        return _adapter(kind).validate_json(whole, strict=True)


def _with_integers(text: str) -> str:
    return _WHOLE.sub(lambda found: found[1] or found[2], text)


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _without_defaults(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_without_defaults(item) for item in cast("Iterable[Any]", value)]
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        return {key: _without_defaults(item) for key, item in members.items()}
    if not isinstance(value, BaseModel):
        return value
    fields = type(value).model_fields
    found = {name: getattr(value, name) for name in fields}
    return {
        name: _without_defaults(item)
        for name, item in found.items()
        if item is not None or fields[name].is_required()
    }
