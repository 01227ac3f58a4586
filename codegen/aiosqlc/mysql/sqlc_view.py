"""A query as sqlc shows it to its plugins: `?` in the text, and one parameter for each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import count

from aiosqlc.ir import TypedParam, TypedQuery
from aiosqlc.mysql.placeholders import Place, fill


def sqlc_view(query: TypedQuery) -> TypedQuery:
    """Return the query with sqlc's placeholders, numbers and lower-case names."""
    by_number = {param.number: param for param in query.params}

    def text_of(_index: int, place: Place) -> str:
        param = by_number.get(place.number)
        return f"/*SLICE:{param.name}*/?" if param and param.is_slice else "?"

    filled = fill(query.sql, text_of)
    met = [by_number[place.number] for place in filled.places if place.number in by_number]
    params = tuple(
        replace(param, number=number, name=param.name.lower())
        for param, number in zip(met, _numbers(met), strict=True)
    )
    columns = tuple(replace(column, name=column.name.lower()) for column in query.columns)
    return replace(query, sql=filled.sql, params=params, columns=columns)


def _numbers(met: Sequence[TypedParam]) -> list[int]:
    """Return sqlc's numbers: those of plain `?` come before those of names."""
    plain, named = count(1), count(1 + sum(not param.is_named for param in met))
    return [next(named if param.is_named else plain) for param in met]
