"""Decode JSON from MySQL or MariaDB to objects."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from itertools import chain, repeat
from types import NoneType
from typing import Any, TypeVar, cast, get_args, get_origin
from uuid import UUID

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

_T = TypeVar("_T")
_TIME = re.compile(r"(-?)(\d+):(\d\d):(\d\d)(?:\.(\d{1,6}))?")
_SCALARS = (str, int, float, Decimal, UUID, date, timedelta, Enum)


def json_decoder(kind: type[_T]) -> Callable[[str], _T]:
    """Return a function that decodes a JSON text to a value of a type.

    Raises `pydantic.ValidationError` for any other text.
    """
    known = TypeAdapter(kind)
    direct = not _is_changed(kind)

    def decode(text: str) -> _T:
        if direct:
            try:
                return known.validate_json(text, strict=True)
            except ValidationError:  # 0 for false, or a list that is written as a text
                pass
        return known.validate_python(_read(json.loads(text, parse_float=Decimal), kind))

    return decode


def _is_changed(kind: Any) -> bool:
    """Return whether pydantic alone decodes some JSON of a type to a wrong value.

    It decodes a Decimal with the precision of a float, and a time as a duration of another length.
    """
    inside = [field.annotation for field in _fields(kind).values()] or get_args(kind)
    return kind in {timedelta, Decimal} or any(map(_is_changed, inside))


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
    if isinstance(value, int):
        return bool(value) if kind is bool else value
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
    """Convert a text to a type; a list or an object may be JSON inside the text."""
    if kind is timedelta:
        return _read_time(text)
    if kind is datetime:
        return datetime.fromisoformat(text)
    if kind is date:
        return date.fromisoformat(text)
    if kind is Any or (isinstance(kind, type) and issubclass(kind, _SCALARS)):
        return text
    return _read(json.loads(text, parse_float=Decimal), kind)


def _read_time(text: str) -> timedelta:
    """Convert a time such as -838:59:59.000000. Raises ValueError for any other text."""
    found = _TIME.fullmatch(text)
    if found is None:
        message = f"{text!r} is not a time"
        raise ValueError(message)
    sign, hours, minutes, seconds, digits = found.groups("")
    span = timedelta(
        hours=int(hours),
        minutes=int(minutes),
        seconds=int(seconds),
        microseconds=int(digits.ljust(6, "0")),
    )
    return -span if sign else span
