"""Type `sqlc.embed(t)` as one value, which is optional if its row may be missing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from aiosqlc.ir import Column, ColumnRef, Embed, ParsedQuery, TypedEmbed, Variant
from aiosqlc.relational import tree
from aiosqlc.relational.port import Engine

Present = Callable[[int, frozenset[int]], Column]
"""A function that infers a result column by index, assuming that given outer joins match."""


@dataclass(frozen=True, slots=True)
class Place:
    """The result columns of an embedded row (`sqlc.embed(t)`).

    A plain query has one of the `embeds`, and a set operation one in each operand.
    """

    embeds: tuple[Embed, ...]
    first: int
    count: int


@dataclass(frozen=True, slots=True)
class Row:
    """The row of an `sqlc.embed(t)`; its columns are inferred for the case that the row exists."""

    embed: TypedEmbed
    columns: tuple[Column, ...]


Found = Mapping[Place, Row | str]
"""The row of each `sqlc.embed(t)` in one text, or the reason why the embed is refused."""

_ELSEWHERE = "the embed is not in the select list of the result, or a rule rewrites the statement"


def embedded_rows(
    places: Sequence[Place],
    query: tree.Query,
    columns: Sequence[Column],
    engine: Engine,
    present: Present,
) -> Found:
    """Infer the row of each `sqlc.embed(t)` in one text.

    Inside a row that may be missing, columns are inferred as if it were present: the whole row is
    optional, not each field.
    """
    parts = list(_parts(query, query.arms)) if query.arms is not None else [query]
    embeds: dict[Place, Row | str] = {}
    for place in places:
        rows = [(part, row) for part in parts if (row := _row(part, place)) is not None]
        missing = [frozenset[int]().union(*(column.absent for column in row)) for _, row in rows]
        tables = {_table(engine, part, row) for part, row in rows}
        problem = _unfit(place, len(parts), missing, tables)
        if problem:
            embeds[place] = problem
            continue
        inferred = [
            present(at, missing[0]) if missing[0] else columns[at]
            for at in range(place.first, place.first + place.count)
        ]
        table = tables.pop()
        name, *others = [embed.name for embed in place.embeds]
        if table is None or not _certain_enough(engine, *rows[0], inferred):
            table = ColumnRef("", place.embeds[0].table, "")  # a class of this query's own
        embed = TypedEmbed(
            name=name,
            first=place.first,
            count=place.count,
            table=table,
            nullable=bool(missing[0]),
            others=tuple(others),
            nest=place.embeds[0].nest,
        )
        embeds[place] = Row(embed, tuple(inferred))
    return embeds


def _parts(query: tree.Query, arm: tree.SetOperation | int) -> list[tree.Query]:
    """Return the operands of a set operation from left to right."""
    if isinstance(arm, tree.SetOperation):
        return [*_parts(query, arm.left), *_parts(query, arm.right)]
    source = query.source(arm)
    return [source.query() if isinstance(source, tree.Derived) else tree.Query()]


def _unfit(
    place: Place,
    parts: int,
    missing: Sequence[frozenset[int]],
    tables: Collection[ColumnRef | None],
) -> str:
    """Return the reason why an `sqlc.embed(t)` cannot be one value, or an empty string.

    In a set operation, the only proved facts are that the row is present in every operand, and that
    it is a row of one table.
    """
    if len(place.embeds) < parts:
        return "another part of the set operation has single columns at this position"
    if len(missing) < parts:
        return (
            "the columns of the embed may not form one row, because the query lists them one by one"
            " or groups by GROUPING SETS, CUBE or ROLLUP"
        )
    if parts > 1 and any(missing):
        return "an outer join may omit the embedded row in a part of the set operation"
    if parts > 1 and None in tables:
        return "in a part of the set operation the embed is not a table or view"
    if len(tables) > 1:
        return "the parts of the set operation embed rows of different tables"
    return ""


def fitting(
    query: ParsedQuery, texts: Sequence[Found]
) -> tuple[list[list[Row]], list[tuple[Embed, str]]]:
    """Return the embedded rows that all texts of a query have, and the refused embeds.

    The texts are the query's own text and those of its variants.
    """
    whole, *others = texts
    kept: list[list[Row]] = []
    refused = dict.fromkeys(query.embeds, _ELSEWHERE)
    for place, first in whole.items():
        found = [first, *(_at(place, text) for text in others)]
        rows = [row for row in found if isinstance(row, Row)]
        if len(rows) == len(found):
            kept.append(rows)
            for embed in place.embeds:
                del refused[embed]
            continue
        at = next(i for i, row in enumerate(found) if isinstance(row, str))
        without = _left_out(query, query.variants[at - 1]) if at else ""
        refused.update(dict.fromkeys(place.embeds, f"{without}{found[at]}"))
    return kept, list(refused.items())


def as_present(columns: tuple[Column, ...], rows: Sequence[Row]) -> tuple[Column, ...]:
    """Return a text's columns; those of embedded rows are inferred as if the rows exist."""
    changed = list(columns)
    for row in rows:
        changed[row.embed.first : row.embed.first + row.embed.count] = row.columns
    return tuple(changed)


def weakest(rows: Sequence[Row], columns: Sequence[Column]) -> TypedEmbed:
    """Return what holds for an embedded row in every text of the query."""
    embeds = [row.embed for row in rows]
    one, inside = embeds[0], range(embeds[0].first, embeds[0].first + embeds[0].count)
    nullable = any(embed.nullable for embed in embeds)
    shared = all(embed.table == one.table for embed in embeds)
    return replace(
        one,
        table=one.table if shared else ColumnRef("", one.name, ""),
        nullable=nullable,
        presence=next((i for i in inside if nullable and columns[i].not_null), None),
    )


def _at(place: Place, text: Found) -> Row | str:
    """Return the embedded row that a text has at these result columns, or why it has none."""
    where = (place.first, place.count)
    return next(
        (row for there, row in text.items() if (there.first, there.count) == where),
        "there is no embedded row at this position",
    )


def _left_out(query: ParsedQuery, variant: Variant) -> str:
    """Return the names of the optional parts that a variant omits, for a message."""
    names = [
        f"`{name}`"
        for part, there in zip(query.dynamic, variant.key, strict=True)
        if part.kind != "sort" and not there
        for name in (part.name, *part.also)
    ]
    return f"without {', '.join(dict.fromkeys(names))}: " if names else ""


def _row(query: tree.Query, place: Place) -> list[tree.Column] | None:
    """Return the columns of an `sqlc.embed(t)` if all are of one row of a FROM item, or None."""
    outputs = query.outputs()[place.first : place.first + place.count]
    found = [column for column in (_ungrouped(query, expr) for expr in outputs) if column]
    one = len({(column.source, column.row) for column in found}) == 1
    return found if one and len(found) == len(outputs) else None


def _ungrouped(query: tree.Query, expr: tree.Expr) -> tree.Column | None:
    """Return the column that a GROUP BY key is, or None if a grouping set may omit it."""
    if not isinstance(expr, tree.Column) or expr.level:
        return None
    source = query.source(expr.source)
    if not isinstance(source, tree.Grouped):
        return expr
    if expr.absent or expr.column in source.repeated():
        return None
    behind = source.behind(expr.column)
    return behind if isinstance(behind, tree.Column) and not behind.level else None


def _certain_enough(
    engine: Engine, query: tree.Query, row: Sequence[tree.Column], columns: Sequence[Column]
) -> bool:
    """Return whether every NOT NULL column of the table is inferred as not null in the embed."""
    relation = _relation(query, row)
    return all(
        column.not_null or not engine.not_null(relation, shown.column)
        for shown, column in zip(row, columns, strict=True)
    )


def _table(engine: Engine, query: tree.Query, row: Sequence[tree.Column]) -> ColumnRef | None:
    """Return the table or view if it has exactly the embed's columns in order, or None."""
    return engine.whole(_relation(query, row), [column.column for column in row])


def _relation(query: tree.Query, row: Sequence[tree.Column]) -> tree.Relation | None:
    """Return the table or view that a row belongs to."""
    source = query.source(row[0].source)
    return source.relation if isinstance(source, tree.Table | tree.Derived) else None
