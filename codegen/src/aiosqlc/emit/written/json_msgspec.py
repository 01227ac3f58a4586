"""Decode JSON from PostgreSQL to objects, strictly and in one pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from itertools import chain, repeat
from types import NoneType
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

import msgspec

_T = TypeVar("_T")
_EXACT = msgspec.json.Decoder(float_hook=Decimal)
_LAST, _FIRST = datetime.max, datetime.min  # noqa: DTZ901 - as columns have them: without a zone
_ENDLESS = {"infinity": _LAST, "-infinity": _FIRST}
_NO_NUMBERS = frozenset({"NaN", "Infinity", "-Infinity"})


def json_decoder(kind: type[_T]) -> Callable[[str], _T]:
    """Return a function that decodes a JSON text to a value of a type.

    Raises `msgspec.ValidationError` for any other text.
    """
    known = msgspec.json.Decoder(kind)

    def decode(text: str) -> _T:
        try:
            return known.decode(text)
        except msgspec.ValidationError:  # infinity, NaN or bytes, which JSON has no form for
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
