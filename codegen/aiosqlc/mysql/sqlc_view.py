"""A query as sqlc shows it to its plugins: `?` in the text, and one parameter for each of them."""

from __future__ import annotations

from dataclasses import replace

from aiosqlc.mysql.placeholders import Place, fill
from aiosqlc.stages import TypedQuery


def sqlc_view(query: TypedQuery) -> TypedQuery:
    """Return the query with sqlc's placeholders, numbers and lower-case names."""
    by_number = {param.number: param for param in query.params}

    def text_of(_index: int, place: Place) -> str:
        param = by_number.get(place.number)
        return f"/*SLICE:{param.name}*/?" if param and param.is_slice else "?"

    filled = fill(query.sql, text_of)
    params = tuple(
        replace(by_number[place.number], number=position, name=by_number[place.number].name.lower())
        for position, place in enumerate(filled.places, start=1)
        if place.number in by_number
    )
    columns = tuple(replace(column, name=column.name.lower()) for column in query.columns)
    return replace(query, sql=filled.sql, params=params, columns=columns)
