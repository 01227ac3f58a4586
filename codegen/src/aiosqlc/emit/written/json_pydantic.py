"""Decode JSON from PostgreSQL to objects."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from itertools import chain, repeat
from types import NoneType
from typing import Any, TypeVar, cast, get_args, get_origin

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

_T = TypeVar("_T")
_LAST, _FIRST = datetime.max, datetime.min  # noqa: DTZ901 - as columns have them: without a zone
_ENDLESS = {"infinity": _LAST, "-infinity": _FIRST}
_NO_NUMBERS = frozenset({"NaN", "Infinity", "-Infinity"})


def json_decoder(kind: type[_T]) -> Callable[[str], _T]:
    """Return a function that decodes a JSON text to a value of a type.

    Raises `pydantic.ValidationError` for any other text.
    """
    config = None if _fields(kind) else ConfigDict(allow_inf_nan=True)
    known = TypeAdapter(kind, config=config)
    direct = not _is_changed(kind)

    def decode(text: str) -> _T:
        if direct:
            try:
                return known.validate_json(text, strict=True)
            except ValidationError:  # infinity or NaN, which JSON has no form for
                pass
        return known.validate_python(_read(json.loads(text, parse_float=Decimal), kind))

    return decode


def _is_changed(kind: Any) -> bool:
    """Return whether pydantic alone decodes some JSON of a type to a wrong value.

    It decodes bytes from the characters of a text, and a Decimal with the precision of a float.
    """
    inside = [field.annotation for field in _fields(kind).values()] or get_args(kind)
    return kind in {bytes, Decimal} or any(map(_is_changed, inside))


def _fields(kind: Any) -> dict[str, FieldInfo]:
    """Return the fields of a pydantic model, or no fields for any other type."""
    found: dict[str, FieldInfo] = getattr(kind, "model_fields", {})
    return found


def _read(value: Any, kind: Any) -> Any:
    """Convert the parts of a decoded JSON value that pydantic cannot convert."""
    inside = [part for part in get_args(kind) if part is not NoneType]
    origin = get_origin(kind)
    if len(inside) < len(get_args(kind)):
        return None if value is None else _read(value, inside[0])
    if isinstance(value, str):
        return _read_text(value, kind)
    if isinstance(value, Decimal):
        return value if kind is Decimal else float(value)
    if isinstance(value, list):
        kinds = chain(inside, repeat(Any)) if origin is tuple else repeat([*inside, Any][0])
        return list(map(_read, cast("Iterable[Any]", value), kinds))
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        fields = {key: field.annotation for key, field in _fields(kind).items()}
        other = inside[1] if origin is dict else Any
        return {key: _read(item, fields.get(key, other)) for key, item in members.items()}
    return value


def _read_text(text: str, kind: Any) -> Any:
    """Convert a text to a type; an infinite date or naive datetime becomes `max` or `min`."""
    if kind is float and text in _NO_NUMBERS:
        return float(text)
    if kind is bytes and text.startswith("\\x"):
        return bytes.fromhex(text[2:])
    if kind is datetime:
        return _ENDLESS.get(text) or datetime.fromisoformat(text)
    if kind is date:
        endless = _ENDLESS.get(text)
        return endless.date() if endless else date.fromisoformat(text)
    return text
