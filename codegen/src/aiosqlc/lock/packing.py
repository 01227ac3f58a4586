"""Pack Structs for the lock file: as a list of field values, without trailing defaults.

A built-in type of PostgreSQL is stored as its name. Data are omitted if only `explain` uses them,
or if every run reads them again anyway.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Sequence
from enum import Enum
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from msgspec import NODEFAULT, Struct
from msgspec.structs import FieldInfo, fields

from aiosqlc.ir import SqlType

FORGOTTEN = frozenset({"parsed", "source_map", "reasons", "cardinality_reasons"})
_BUILT_IN = "pg_catalog"
T = TypeVar("T")


class UnpackError(ValueError):
    """Raised if stored data is not in the packed format."""


@cache
def stored_fields(kind: type[Struct]) -> tuple[FieldInfo, ...]:
    """Return the fields of a Struct whose values the lock file stores."""
    return tuple([item for item in fields(kind) if item.name not in FORGOTTEN])


def plain_type(value: object) -> str:
    """Return a type's name if it is built-in and its other fields have their defaults, or ''."""
    if type(value) is SqlType and value == SqlType(_BUILT_IN, value.name):
        return value.name
    return ""


def members(value: Struct) -> list[object]:
    """Return the values of a Struct's stored fields, without the defaults at the end."""
    kind = type(value)
    kept = [(item, getattr(value, item.name)) for item in stored_fields(kind)]
    while kept and kept[-1][0].default is not NODEFAULT and kept[-1][1] == kept[-1][0].default:
        kept.pop()
    return [held for _, held in kept]


@cache
def reader(kind: Any) -> Callable[[Any], Any]:
    """Return a function that unpacks values of the type `kind`. It raises `UnpackError`."""
    origin, inner = get_origin(kind), get_args(kind)
    if kind in {str, int, bool}:
        return _exactly(kind)
    if origin in {Union, types.UnionType}:
        return _optional(reader(next(part for part in inner if part is not type(None))))
    if origin is Sequence or (origin is tuple and inner[1:] == (Ellipsis,)):
        return _tuple_of(reader(inner[0]))
    if origin is tuple:
        return _tuple(tuple(reader(part) for part in inner))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind
    if isinstance(kind, type) and issubclass(kind, Struct):
        return _value(kind)
    msg = f"a lock file cannot store {kind}"
    raise TypeError(msg)


def _exactly(kind: type) -> Callable[[Any], Any]:
    def read(raw: Any) -> Any:
        if type(raw) is not kind:
            raise UnpackError(raw)
        return raw

    return read


def _optional(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda raw: None if raw is None else read(raw)


def _tuple_of(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda raw: tuple([read(item) for item in _list(raw)])


def _tuple(reads: tuple[Callable[[Any], Any], ...]) -> Callable[[Any], Any]:
    return lambda raw: tuple([read(item) for read, item in zip(reads, _list(raw), strict=True)])


def _list(raw: Any) -> list[Any]:
    if type(raw) is not list:
        raise UnpackError(raw)
    return raw


def _value(kind: type[Struct]) -> Callable[[Any], Any]:
    """Return the function that restores a Struct from its packed form."""
    readers: list[tuple[str, Callable[[Any], Any]]] = []
    known: dict[str, Any] = {}  # types with only a name, which are few and frequent

    def read(raw: Any) -> Any:
        if kind is SqlType and type(raw) is str:
            found = known.get(raw)
            if found is None:
                found = known[raw] = SqlType(_BUILT_IN, raw)
            return found
        if not readers:
            hints = get_type_hints(kind)
            readers.extend((item.name, reader(hints[item.name])) for item in stored_fields(kind))
        try:
            return kind(**{name: of(item) for (name, of), item in zip(readers, _list(raw))})  # noqa: B905 - trailing defaults may be missing
        except TypeError as error:
            raise UnpackError(raw) from error

    return read
