"""Arguments as a caller passes them, with the types of the functions' annotations."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random

from aiosqlc.ir import TypedParam
from aiosqlc.mysql import types

_INTEGERS, _BOOLS = (1, 0, 5, -1), (False, True)
_FLOATS = (1.5, 0.0, -2.0)
_MOMENTS = (datetime(2000, 1, 1), datetime(2020, 2, 29, 12, 0, 0, 500000))  # noqa: DTZ001 - DATETIME has no zone
_VALUES: dict[str, tuple[object, ...]] = {
    "integer": _INTEGERS,
    "decimal": (Decimal("1.5"), Decimal(0), Decimal("-2.25")),
    "float": _FLOATS,
    "double": _FLOATS,
    "bytes": (b"a", b""),
    "bit": _INTEGERS[:2],
    "date": (date(2000, 1, 1), date(9999, 12, 31)),
    "datetime": _MOMENTS,
    "timestamp": _MOMENTS,
    "time": (timedelta(hours=10), timedelta(seconds=-1)),
}
# A text may say anything: what the query is about, or not.
_TEXTS = {
    "int": ("1", "0"),
    "text": ("1", "a", "lit", ""),
    "dec": ("1.5", "0"),
    "time": ("2000-01-01",),
    "clock": ("10:00:00",),
    "net": ("::1",),
}
_UUIDS = ("00000000-0000-0000-0000-000000000000", "00000001-0000-0000-0000-000000000000")


def choices(param: TypedParam, sort: str) -> tuple[object, ...]:
    """Return values of a parameter's type. `sort` is the sort of the parameter in the grammar."""
    kind = param.type
    if kind == types.BOOL:
        return _BOOLS
    if kind == types.UUID:
        return _UUIDS
    if kind.labels:
        return kind.labels
    return _VALUES.get(types.family(kind)) or _TEXTS[sort]


def argument(param: TypedParam, sort: str, random: Random, *, given: bool = False) -> object:
    """Choose a value for a parameter.

    Sometimes None, if None is allowed and not excluded by `given`.
    """
    if not param.not_null and not given and random.random() < 0.4:
        return None
    return random.choice(choices(param, sort))
