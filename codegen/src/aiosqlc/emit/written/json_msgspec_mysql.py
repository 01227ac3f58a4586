"""Decode JSON from MySQL or MariaDB to objects, strictly."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from itertools import chain, repeat
from types import NoneType
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec

_T = TypeVar("_T")
_EXACT = msgspec.json.Decoder(float_hook=Decimal)
_TIME = re.compile(r"(-?)(\d+):(\d\d):(\d\d)(?:\.(\d{1,6}))?")
_SCALARS = (str, int, float, Decimal, UUID, date, timedelta, Enum)


def json_decoder(kind: type[_T]) -> Callable[[str], _T]:
    """Return a function that decodes a JSON text to a value of a type.

    Raises `msgspec.ValidationError` for any other text.
    """
    known = msgspec.json.Decoder(kind)

    def decode(text: str) -> _T:
        try:
            return known.decode(text)
        except msgspec.ValidationError:  # 0 for false, a time, or a list that is written as a text
            return msgspec.convert(_read(_EXACT.decode(text), kind), kind)

    return decode


def _read(value: Any, kind: Any) -> Any:
    """Convert the parts of a decoded JSON value that msgspec cannot convert."""
    inside = [part for part in get_args(kind) if part is not NoneType]
    origin = get_origin(kind)
    if len(inside) < len(get_args(kind)):
        return None if value is None else _read(value, inside[0])
    if isinstance(value, str):
        return _read_text(value, kind)
    if isinstance(value, int):
        return bool(value) if kind is bool else value
    if isinstance(value, Decimal):
        return _read_number(value, kind)
    if isinstance(value, list):
        kinds = chain(inside, repeat(Any)) if origin is tuple else repeat([*inside, Any][0])
        return list(map(_read, cast("Iterable[Any]", value), kinds))
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        hints = get_type_hints(kind) if isinstance(kind, type) and origin is None else {}
        other = inside[1] if origin is dict else Any
        return {key: _read(item, hints.get(key, other)) for key, item in members.items()}
    return value


def _read_number(number: Decimal, kind: Any) -> Decimal | float:
    """Convert a number with a fraction. If a type has only integers, 1.0 becomes 1."""
    if kind is Decimal:
        return number
    kinds = [part if isinstance(part, type) else type(part) for part in get_args(kind) or (kind,)]
    if float not in kinds and any(issubclass(part, int) for part in kinds):
        exponent = number.as_tuple().exponent
        if isinstance(exponent, int) and exponent < 0 and number == number.to_integral_value():
            return int(number)
    return float(number)


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
    return _read(_EXACT.decode(text), kind)


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
