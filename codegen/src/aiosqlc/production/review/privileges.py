"""Compare the privileges that the queries of two versions need, column by column."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from aiosqlc.analysis.grants import Right, plain_or, statements
from aiosqlc.production.review.model import Grants

_Key = tuple[str, str, str, str, str]


def grants_between(
    before: frozenset[Right], after: frozenset[Right], reserved: frozenset[str], quote: str
) -> Grants:
    """Return the privileges that only the old or only the new queries need."""
    old, new = _by_object(before), _by_object(after)
    return Grants(
        frozenset(_missing(new, old)),
        frozenset(_missing(old, new)),
        frozenset(_essence(new, old)),
        frozenset(_essence(old, new)),
        reserved,
        quote,
    )


def privileges(rights: Iterable[Right], grants: Grants) -> list[str]:
    """Return privileges as one text for each object, such as `SELECT (id, email) ON person`."""
    quote = plain_or(grants.quote, grants.reserved)
    lines = statements(rights, "r", quote)
    return [line.removeprefix("GRANT ").removesuffix(f" TO {quote('r')}") for line in lines]


def _essence(wanted: dict[_Key, Right], known: dict[_Key, Right]) -> Iterable[Right]:
    for key, right in wanted.items():
        other = known.get(key)
        if other is None:
            yield replace(right, columns=None)
        elif right.columns and other.columns and right.columns - other.columns:
            yield replace(right, columns=right.columns - other.columns)


def _by_object(rights: frozenset[Right]) -> dict[_Key, Right]:
    """Return the privileges by name and object; the columns of one object are merged."""
    found: dict[_Key, Right] = {}
    for right in rights:
        key = (right.privilege, right.kind, right.schema, right.name, right.arguments)
        other = found.get(key)
        if other and (other.columns is None or right.columns is None):
            found[key] = replace(right, columns=None)
        elif other and other.columns is not None and right.columns is not None:
            found[key] = replace(right, columns=other.columns | right.columns)
        else:
            found[key] = right
    return found


def _missing(wanted: dict[_Key, Right], known: dict[_Key, Right]) -> Iterable[Right]:
    """Yield the privileges in `wanted` that `known` lacks.

    If `known` has a privilege for some of the columns, yield it for the other columns.
    """
    for key, right in wanted.items():
        other = known.get(key)
        if other is None:
            yield right
        elif right.columns is None or other.columns is None:
            if right.columns != other.columns:
                yield right
        elif right.columns - other.columns:
            yield replace(right, columns=right.columns - other.columns)
