"""Infer the type of `sqlc.embed(t)`: one object, or None in rows where `t` has no match."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from aiosqlc.ir import Column, ColumnRef, Embed, ParsedQuery, TypedEmbed, Variant
from aiosqlc.relational import tree
from aiosqlc.relational.port import Engine

Present = Callable[[int, frozenset[int]], Column]
"""A function that infers a result column by index, assuming that given outer joins match."""


class Part(Struct, frozen=True, eq=False):
    """The row of an `sqlc.embed(t)` in one SELECT: its columns, and their table or view.

    `relation` is None if the columns are not from one table or view.
    """

    columns: tuple[tree.Column, ...]
    relation: tree.Relation | None = None

    @property
    def missing(self) -> frozenset[int]:
        """Return the numbers of what may omit the row: outer joins, or a grouping set."""
        return frozenset[int]().union(*(column.absent for column in self.columns))


class Place(Struct, frozen=True):
    """The result columns of an embedded row (`sqlc.embed(t)`).

    `embeds` has one element in a plain query, and one for each operand of a set operation. `parts`
    has, for each operand, the row in these result columns, or the reason why they are not one row.
    """

    embeds: tuple[Embed, ...]
    first: int
    count: int
    parts: tuple[Part | str, ...] = ()


class Row(Struct, frozen=True):
    """The row of an `sqlc.embed(t)`, with its columns inferred as if the row always exists."""

    embed: TypedEmbed
    columns: tuple[Column, ...]


Found = Mapping[Place, Row | str]
"""The row of each `sqlc.embed(t)` in one SQL text, or the reason why the macro is refused."""

_NOT_ONE = "the columns of the embed may not form one row, because the query lists them one by one"
_TOO_MANY = "there are too many grouping sets, or one column is grouped twice"
_APART = (
    "some grouping sets have only a part of the embedded columns: group all of them together, as in"
    " `ROLLUP ((t.id, t.name))` or `GROUPING SETS ((t.id, t.name), ())`"
)
_ELSEWHERE = "the embed is not in the select list of the result, or a rule rewrites the statement"


def embedded_rows(
    places: Sequence[Place],
    operands: int,
    columns: Sequence[Column],
    engine: Engine,
    present: Present,
) -> Found:
    """Infer the row of each `sqlc.embed(t)` in one query text.

    `operands` is the number of SELECTs that a set operation combines, or 1. If a row may be
    missing, its columns are inferred as if it were present, because the object is optional as a
    whole.
    """
    embeds: dict[Place, Row | str] = {}
    for place in places:
        problem = why_unfit(place, operands, engine)
        embeds[place] = problem or _row(place, columns, engine, present)
    return embeds


def why_unfit(place: Place, operands: int, engine: Engine) -> str:
    """Return the reason why an `sqlc.embed(t)` cannot be one value, or an empty string.

    In a set operation, the row must be present in every operand, and all operands must take it from
    the same table or view.
    """
    if len(place.embeds) < operands:
        return "another SELECT of the set operation has single columns at this position"
    for part in place.parts:
        if isinstance(part, str):
            return part
    parts = _rows_of(place)
    tables = {_table(engine, part) for part in parts}
    if operands > 1 and any(part.missing for part in parts):
        return (
            "in one SELECT of the set operation, an outer join or a grouping set may omit the"
            " embedded row"
        )
    if operands > 1 and None in tables:
        return "in one SELECT of the set operation, the embed is not a table or view"
    if len(tables) > 1:
        return "the SELECTs of the set operation embed rows of different tables"
    return ""


def _row(place: Place, columns: Sequence[Column], engine: Engine, present: Present) -> Row:
    """Infer the row of an `sqlc.embed(t)` for which `why_unfit` found no problem."""
    part, *others = _rows_of(place)
    inside = range(place.first, place.first + place.count)
    inferred = tuple(columns[at] if others else present(at, part.missing) for at in inside)
    name, *same = [embed.name for embed in place.embeds]
    table = _table(engine, part)
    if table is None or not _is_as_declared(engine, part, inferred, combined=bool(others)):
        table = ColumnRef("", place.embeds[0].table, "")  # a class of this query's own
    embed = TypedEmbed(
        name=name,
        first=place.first,
        count=place.count,
        table=table,
        nullable=bool(part.missing),
        others=tuple(same),
        nest=place.embeds[0].nest,
    )
    return Row(embed, inferred)


def _rows_of(place: Place) -> list[Part]:
    return [part for part in place.parts if isinstance(part, Part)]


def fitting(
    query: ParsedQuery, texts: Sequence[Found]
) -> tuple[list[list[Row]], list[tuple[Embed, str]]]:
    """Return the embedded rows that every text of a query has, and the refused embeds with reasons.

    The first text is the query's own. The others are its variants, such as the query without an
    optional part.
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
    """Return a query's columns, with those of embedded rows inferred as if the rows exist."""
    changed = list(columns)
    for row in rows:
        changed[row.embed.first : row.embed.first + row.embed.count] = row.columns
    return tuple(changed)


def weakest(embeds: Sequence[TypedEmbed], columns: Sequence[Column]) -> TypedEmbed:
    """Merge an embedded row's types in all variants; the result is nullable if one of them is."""
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
    """Return the embedded row of a text at the result columns of `place`, or why it has none."""
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


def operands_of(query: tree.Query) -> list[tree.Query]:
    """Return the operands of a set operation from left to right, or only the query itself."""
    return [query] if query.arms is None else _operands(query, query.arms)


def _operands(query: tree.Query, arm: tree.SetOperation | int) -> list[tree.Query]:
    if isinstance(arm, tree.SetOperation):
        return [*_operands(query, arm.left), *_operands(query, arm.right)]
    source = query.source(arm)
    return [source.query() if isinstance(source, tree.Derived) else tree.Query()]


def part_of(query: tree.Query, first: int, count: int) -> Part | str:
    """Return the row that some result columns of a SELECT form, or why they may not form one.

    A grouping set with none of these columns omits the row. A grouping set with only some of these
    columns is refused.
    """
    omitting = {_omitting(query, at) for at in range(first, first + count)}
    if None in omitting:
        return _TOO_MANY
    if len(omitting) > 1:
        return _APART
    outputs = query.outputs()[first : first + count]
    found = tuple(column for column in (_ungrouped(query, expr) for expr in outputs) if column)
    one = len({(column.source, column.row) for column in found}) == 1
    # A column that some sets omit must say so, or nothing would make the row optional.
    whole = all(column.absent for column in found) or not any(omitting)
    if not one or not whole or len(found) < len(outputs):
        return _NOT_ONE
    source = query.source(found[0].source)
    return Part(found, source.relation if isinstance(source, tree.Table | tree.Derived) else None)


def _omitting(query: tree.Query, output: int) -> frozenset[int] | None:
    """Return the indexes of the grouping sets that omit a result column; None if unknown."""
    sets = query.grouping_sets
    if sets is None:
        return None
    keys = query.set_keys()[output] if sets else frozenset[int]()
    if len(keys) > 1:
        return None
    return frozenset(at for at, kept in enumerate(sets) if not keys <= kept)


def _ungrouped(query: tree.Query, expr: tree.Expr) -> tree.Column | None:
    """Return the column that an expression names, directly or as a key of GROUP BY.

    Return None for any other expression.
    The column's row counts as possibly absent if a grouping set omits the key.
    """
    if not isinstance(expr, tree.Column) or expr.level:
        return None
    source = query.source(expr.source)
    if not isinstance(source, tree.Grouped):
        return expr
    behind = source.behind(expr.column)
    if not isinstance(behind, tree.Column) or behind.level or expr.column in source.repeated():
        return None
    return msgspec.structs.replace(behind, absent=behind.absent | expr.absent)


def _is_as_declared(
    engine: Engine, part: Part, columns: Sequence[Column], *, combined: bool
) -> bool:
    """Return whether the inferred columns of a row have the nullability and types of its table.

    The types are compared only in a set operation, which may convert values to a common type.
    """
    return all(
        (inferred.not_null or not engine.not_null(part.relation, shown.column))
        and (not combined or engine.keeps_type(part.relation, shown.column, inferred.type))
        for shown, inferred in zip(part.columns, columns, strict=True)
    )


def _table(engine: Engine, part: Part) -> ColumnRef | None:
    """Return the table or view whose columns are exactly those of the row, in order, or None."""
    return engine.whole(part.relation, [column.column for column in part.columns])
