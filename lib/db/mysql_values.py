"""Convert Python values to MySQL literals, and MySQL text to Python values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from pymysql.constants import FIELD_TYPE
from pymysql.converters import decoders, escape_string

# As a list of values: `IN` finds nothing in it and `NOT IN` everything, NULL included.
NOTHING = "SELECT NULL FROM DUAL WHERE FALSE"


def literal(value: object) -> str:
    """Return the SQL literal of a value.

    For a list or tuple, return the literals of its items for `IN (…)`, separated by commas. For a
    list of lists, return the literals of rows for `(a, b) IN (…)`.

    Raises:
        TypeError: if no column accepts values of this type.
        ValueError: if a number is NaN or infinite.
    """
    if value is None:
        return "NULL"
    encode = _ENCODERS.get(type(value))
    if encode is not None:
        return encode(value)
    for kind, encode in _ENCODERS.items():  # such as a member of a StrEnum
        if isinstance(value, kind):
            return encode(value)
    raise TypeError(f"{type(value).__name__} is not a type that MySQL accepts")


def _text(value: str) -> str:
    return f"'{escape_string(str(value))}'"


def _bytes(value: bytes | bytearray | memoryview) -> str:
    return f"x'{bytes(value).hex()}'" if value else "''"


def _float(value: float) -> str:
    text = repr(value)
    if text in {"inf", "-inf", "nan"}:
        raise ValueError(f"{text} is not a number that MySQL accepts")
    return text if "e" in text else f"{text}e0"


def _decimal(value: Decimal) -> str:
    if not value.is_finite():
        raise ValueError(f"{value} is not a number that MySQL accepts")
    return format(value, "f")


def _datetime(value: datetime) -> str:
    """Return a datetime literal.

    Sessions use UTC: a time with a time zone is converted, and a time without a zone stays
    unchanged.
    """
    if value.tzinfo is not None:
        value = value.astimezone(UTC).replace(tzinfo=None)
    return f"'{value.isoformat(' ')}'"


def _timedelta(value: timedelta) -> str:
    sign = "-" if value < timedelta(0) else ""
    seconds, micros = divmod(abs(value) // timedelta(microseconds=1), 1_000_000)
    hours, rest = divmod(seconds, 3600)
    return f"'{sign}{hours:02d}:{rest // 60:02d}:{rest % 60:02d}.{micros:06d}'"


def _list(values: list[object] | tuple[object, ...]) -> str:
    if any(isinstance(column, list) for column in values):
        columns: list[list[object]] = [list(column) for column in values]  # type: ignore[call-overload]  # all are lists
        rows = [f"({', '.join(map(literal, row))})" for row in zip(*columns, strict=True)]
        return ", ".join(rows) or NOTHING.replace("NULL", ", ".join(["NULL"] * len(columns)))
    return ", ".join(map(literal, values)) if values else NOTHING


# In this order: a bool is an int, a datetime is a date.
_ENCODERS: dict[type, Callable[[Any], str]] = {
    bool: lambda value: "1" if value else "0",
    int: lambda value: str(int(value)),
    str: _text,
    bytes: _bytes,
    float: _float,
    Decimal: _decimal,
    datetime: _datetime,
    date: lambda value: f"'{value.isoformat()}'",
    time: lambda value: f"'{value.isoformat()}'",
    timedelta: _timedelta,
    UUID: lambda value: f"'{value}'",
    list: _list,
    tuple: _list,
    frozenset: lambda value: _list(tuple(value)),
    set: lambda value: _list(tuple(value)),
    bytearray: _bytes,
    memoryview: _bytes,
}


class NoDateError(ValueError):
    """The server sent an invalid date, such as `0000-00-00`.

    The rows after the invalid date were not read.
    """


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise NoDateError(f"{text!r} is no date") from error


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise NoDateError(f"{text!r} is no date") from error


def _instant(text: str) -> datetime:
    """Return a TIMESTAMP as an aware datetime, because sessions run in UTC."""
    return _moment(text).replace(tzinfo=UTC)


DECODERS: Mapping[int, Callable[[Any], Any]] = {
    **decoders,
    FIELD_TYPE.DATETIME: _moment,
    FIELD_TYPE.TIMESTAMP: _instant,
    FIELD_TYPE.DATE: _day,
}
