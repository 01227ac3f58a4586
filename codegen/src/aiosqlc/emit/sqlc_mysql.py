"""Convert a MySQL query to the form that sqlc passes to plugins: one parameter per `?`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import TypeVar

from msgspec.structs import replace

from aiosqlc.ir import Catalog, Column, ColumnRef, TypedParam, TypedQuery
from aiosqlc.parse.placeholders import Place, fill
from aiosqlc.store.memo import memo_by

Named = TypeVar("Named", Column, TypedParam)


def sqlc_view(query: TypedQuery) -> TypedQuery:
    """Return the query with sqlc's placeholders, numbers and lower-case names."""
    by_number = {param.number: param for param in query.params}

    def text_of(_index: int, place: Place) -> str:
        param = by_number.get(place.number)
        return f"/*SLICE:{param.name}*/?" if param and param.is_slice else "?"

    filled = fill(query.sql, text_of)
    met = [by_number[place.number] for place in filled.places if place.number in by_number]
    numbered = zip(met, _numbers(met), strict=True)
    params = [replace(_lower(param), number=number) for param, number in numbered]
    embeds = [replace(embed, table=_lower_ref(embed.table)) for embed in query.embeds]
    return replace(
        query,
        sql=filled.sql,
        params=tuple(params),
        columns=tuple(map(_lower, query.columns)),
        embeds=tuple(embeds),
        insert_into=query.insert_into and _lower_ref(query.insert_into),
    )


@memo_by(lambda catalog: catalog.digest)
def sqlc_catalog(catalog: Catalog) -> Catalog:
    """Return the catalog with sqlc's lower-case names."""
    tables = [
        replace(
            table,
            name=table.name.lower(),
            columns=tuple(replace(item, name=item.name.lower()) for item in table.columns),
        )
        for table in catalog.tables
    ]
    return replace(catalog, tables=tuple(tables))


def _lower(item: Named) -> Named:
    return replace(
        item,
        name=item.name.lower(),
        origin=item.origin and _lower_ref(item.origin),
        via=item.via and _lower_ref(item.via),
    )


def _lower_ref(ref: ColumnRef) -> ColumnRef:
    return replace(ref, table=ref.table.lower(), column=ref.column.lower())


def _numbers(met: Sequence[TypedParam]) -> list[int]:
    """Return sqlc's numbers of the parameters: all unnamed `?` come before all named ones."""
    plain, named = count(1), count(1 + sum(not param.is_named for param in met))
    return [next(named if param.is_named else plain) for param in met]
