"""Convert rows to response types."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, TypeVar, get_args, get_type_hints

from msgspec import Struct

S = TypeVar("S", bound=Struct)


class ReaderView(Struct, frozen=True):
    """A response type whose contents depend on the caller or on other rows.

    The version of its row does not cover all of its contents, so its `ETag` includes a digest of
    the body.
    """


def view(kind: type[S], row: Struct, **others: Any) -> S:
    """Return a `kind` with the row's fields of the same names, and with the fields in `others`.

    A row that is a `kind` already is returned as it is.

    Raises:
        TypeError: if a field of `kind` has no field of the row with the same name and type.
    """
    if type(row) is kind and not others:
        return row
    names = _shared(kind, type(row), tuple(others))
    return kind(**{name: getattr(row, name) for name in names}, **others)


@cache
def _shared(kind: type[Struct], row: type[Struct], others: tuple[str, ...]) -> Sequence[str]:
    """Return the fields of a response type whose values are copied from the row.

    Field types are checked once per kind.
    """
    wanted, there = get_type_hints(kind), get_type_hints(row)
    names = [name for name in kind.__struct_fields__ if name not in others]
    for name in names:
        if there.get(name) not in (wanted[name], *get_args(wanted[name])):
            raise TypeError(f"{kind.__name__}.{name} is {wanted[name]}, not {there.get(name)}")
    return names
