"""Choose argument values from a few values per type, so that several calls find the same rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from inspect import Parameter, signature
from random import Random
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, is_typeddict
from unicodedata import normalize
from uuid import UUID

from aiosqlc.contract.conforms import hints_of

Given = Mapping[str, Sequence[object]]
"""Allowed values by parameter name, for parameters that a schema restricts."""

_TEXTS = (
    "a", "A", "b", "Z", "z", "a ", " a", "", " ", "10", "9", "é", "É", "e", "ä", "ss", "ß",
    "\U0001f600", "%", "_", "\\", "%a%", "100%", "'", '"; --', "line\nbreak", "x" * 300,
)  # fmt: skip
_MOMENTS = (
    datetime(1999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    datetime(2024, 3, 31, 2, 30, tzinfo=timezone(timedelta(hours=5, minutes=30))),
    datetime(2024, 3, 30, 21, 0, tzinfo=UTC),
    datetime(2024, 10, 27, 1, 30, tzinfo=timezone(timedelta(hours=-8))),
    datetime(2037, 1, 1, tzinfo=UTC),
)
_POOLS: Mapping[type, Sequence[object]] = {
    bool: (False, True),
    int: (0, 1, 2, 3, 5, 7, 100, -1, *range(8, 48)),
    float: (0.0, 0.5, -1.25, 1e10, 1 / 3),
    str: _TEXTS,
    bytes: (b"", b"a", b"A", b"\x00\xff'%", b"a "),
    Decimal: tuple(map(Decimal, ("0", "0.01", "1.5", "2.675", "10", "99.99", "-1", "1E+3"))),
    UUID: tuple(UUID(int=number << 96 | number) for number in range(20)),
    datetime: _MOMENTS,
    date: (date(1999, 12, 31), date(2024, 2, 29), date(2024, 3, 1)),
    time: (time(0), time(23, 59, 59, 999999)),
    timedelta: (timedelta(0), timedelta(hours=36, microseconds=1), timedelta(hours=-1)),
}


_KEPT = 40
# Changes of a text that some collations ignore.
_CHANGES: Sequence[Callable[[str], str]] = (
    str,
    str,
    str.swapcase,
    lambda text: text + " ",
    lambda text: normalize("NFD", text)[:1],
)


class Values:
    """Choose arguments at random.

    `given` has the allowed values of each restricted parameter.
    """

    def __init__(self, random: Random, given: Given) -> None:
        self._random = random
        self._given = given
        self._seen: dict[str, list[object]] = {}

    def remember(self, arguments: Mapping[str, object]) -> None:
        """Store the arguments of an accepted call, so that later calls find the rows it wrote."""
        for name, value in arguments.items():
            if value is not None and not isinstance(value, list):
                self._seen[name] = [*self._seen.get(name, ())[-_KEPT:], value]

    def arguments(
        self, function: Callable[..., object], naive: frozenset[str]
    ) -> dict[str, object]:
        """Choose an argument for each parameter except `self`, the executor, `chunk` and a cursor.

        `naive` names the parameters whose times have no time zone.
        """
        hints = hints_of(function)
        chosen: dict[str, object] = {}
        for name, parameter in signature(function).parameters.items():
            if name in {"self", "db", "chunk"} or _is_cursor(hints[name]):
                continue
            if parameter.default is not Parameter.empty and self._random.random() < 0.5:
                continue
            chosen[name] = self._value(name, hints[name], name in naive)
        return chosen

    def _value(self, name: str, hint: Any, naive: bool) -> object:
        origin = get_origin(hint)
        if origin in {Union, UnionType}:
            return self._one_of(name, get_args(hint), naive)
        if origin is Literal:
            return self._random.choice(get_args(hint))
        if origin is not None and origin.__name__ == "Range":  # the driver's own
            bounds: list[Any] = [self._value("", get_args(hint)[0], naive) for _ in range(2)]
            return origin(*sorted(bounds)) if self._random.random() < 0.8 else origin()
        if origin is tuple:  # a row in a list of rows
            return tuple(self._value("", item, naive) for item in get_args(hint))
        if origin is not None:  # a list of IDs, or a batch of rows
            count = self._random.randrange(4)
            return [self._value(name, get_args(hint)[0], naive) for _ in range(count)]
        if name in self._given:
            given = self._random.choice(self._given[name])
            return given if isinstance(given, hint) else hint(given)
        if isinstance(hint, type) and issubclass(hint, Enum):
            return self._random.choice(list(hint))
        if is_typeddict(hint):
            kinds = hints_of(hint).items()
            left = [
                key
                for key, _ in kinds
                if key in hint.__required_keys__ or self._random.random() < 0.5
            ]
            return {key: self._value(key, kind, naive=False) for key, kind in kinds if key in left}
        if hint not in _POOLS:
            return hint(**self.arguments(hint, frozenset()))
        value = self._again(name, hint) or self._random.choice(_POOLS[hint])
        return value.replace(tzinfo=None) if naive and isinstance(value, datetime) else value

    def _again(self, name: str, hint: type) -> object:
        """Return an earlier value of the parameter (a text may be changed), or at random None."""
        seen = [value for value in self._seen.get(name, ()) if isinstance(value, hint)]
        if not seen or self._random.random() < 0.5:
            return None
        value = self._random.choice(seen)
        change = self._random.choice(_CHANGES)
        return change(value) if isinstance(value, str) else value

    def _one_of(self, name: str, hints: Sequence[Any], naive: bool) -> object:
        """Choose None, if the union includes it, or a value of the union's first other type."""
        if NoneType in hints and self._random.random() < 0.25:
            return None
        real = [hint for hint in hints if hint is not NoneType and not _is_unset(hint)]
        return self._value(name, real[0], naive)


def _is_unset(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, Enum) and hint.__name__ == "Unset"


def _is_cursor(hint: Any) -> bool:
    """Return whether a union includes the class `KeysetCursor` of any generated package."""
    return any(getattr(item, "__name__", "") == "KeysetCursor" for item in get_args(hint))
