"""Read and write stored JSON whose structure the configuration declares."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from functools import cache
from math import isfinite
from typing import Any, TypeVar, cast

import msgspec

_T = TypeVar("_T")
_MARKS = ("__dataclass_fields__", "__attrs_attrs__", "__struct_fields__")

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
    except (msgspec.DecodeError, RecursionError) as error:
        raise StoredJsonError(f"{place}: {error}") from error


def convert_stored(value: Any, kind: type[_T], place: str) -> _T:
    """Convert a JSON value, which the driver has already decoded, to a class."""
    found: _T = convert_stored_as(value, kind, place)
    return found


def convert_stored_as(value: Any, kind: Any, place: str) -> Any:
    """Convert a JSON value, which the driver has already decoded, to any type."""
    try:
        return _converted(value, kind)
    except (msgspec.DecodeError, RecursionError) as error:
        raise StoredJsonError(f"{place}: {error}") from error


def read_stored_text(text: str | None, place: str) -> str:
    """Return the text of a member that is declared as required; raise an error for None."""
    if text is None:
        raise StoredJsonError(_missing(place))
    return text


def write_stored(value: Any) -> str:
    """Encode a value as a JSON text. Raises StoredJsonError for NaN and infinity."""
    text = _encoded(value)
    if "null" in text:  # which msgspec also writes for NaN and infinity
        _refuse_endless(msgspec.to_builtins(value))
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


def _encoded(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _decoded(text: Any, kind: Any) -> Any:
    try:
        return _decoder(kind).decode(text)
    except msgspec.ValidationError:
        whole = _with_integers(text)
        if whole == text:
            raise
        return _decoder(kind).decode(whole)


def _converted(value: Any, kind: Any) -> Any:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return _decoded(_encoded(value), kind)


def _with_integers(text: str) -> str:
    return _WHOLE.sub(lambda found: found[1] or found[2], text)


@cache
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


def _without_defaults(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_without_defaults(item) for item in cast("Iterable[Any]", value)]
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        return {key: _without_defaults(item) for key, item in members.items()}
    return _members(value) if any(hasattr(value, mark) for mark in _MARKS) else value


def _members(value: Any) -> dict[str, Any]:
    """Return an object's members, except members whose value and default are None."""
    defaults = _defaults(value.__class__)
    found = {name: getattr(value, name) for name in defaults}
    return {
        name: _without_defaults(item)
        for name, item in found.items()
        if item is not None or defaults[name] is not None
    }


@cache
def _defaults(kind: Any) -> dict[str, Any]:
    """Return the names of a class's attributes with their defaults."""
    parameters = inspect.signature(kind).parameters
    return {name: parameter.default for name, parameter in parameters.items()}
