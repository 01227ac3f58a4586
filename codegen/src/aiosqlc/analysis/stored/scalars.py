"""The structures of JSON scalars, expressed by database types that generators map to Python."""

from __future__ import annotations

from aiosqlc.ir import JsonKind, JsonShape, SqlType


def scalar(name: str, choices: tuple[str, ...] = ()) -> JsonShape:
    """Return the structure of a scalar; `choices` are the only allowed texts, if there are any."""
    kind = SqlType("pg_catalog", name, labels=choices)
    return JsonShape(JsonKind.SCALAR, type=kind, declared=True)


def anything() -> JsonShape:
    """Return the structure of a JSON value about which nothing is declared."""
    return JsonShape(JsonKind.ANY, nullable=True, declared=True)
