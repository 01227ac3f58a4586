"""Find the result columns of each `sqlc.embed(t)` in the select lists of a statement."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace
from sqlglot import exp

from aiosqlc.ir import Column, ColumnRef, Embed, TypedEmbed
from aiosqlc.mysql.levels import MysqlEngine, row_of
from aiosqlc.mysql.prepare import Described
from aiosqlc.mysql.reader import Reader
from aiosqlc.mysql.relations import Relation, Schema
from aiosqlc.mysql.scope import Level, Output, Source
from aiosqlc.relational.embeds import (
    Part,
    Place,
    Row,
    as_present,
    embedded_rows,
    weakest,
    why_unfit,
)

_ELSEWHERE = "this macro is not in the select list of the result"
_UNCOUNTED = "it is unknown how many columns a `*` before this macro has"


class _Places(Struct, frozen=True):
    """The positions of the `sqlc.embed` macros in a statement's result.

    `operands` is the number of SELECTs in a set operation. `unplaced` gives the reason for each
    macro without a position. `shown` maps the index of a result column to the table column that it
    returns; it is empty for a set operation.
    """

    operands: int
    found: tuple[Place, ...]
    unplaced: Mapping[Embed, str]
    shown: Mapping[int, Output] = field(default_factory=dict)


def why_not_whole(
    found: Sequence[Embed],
    reader: Reader | None,
    schema: Schema,
    described: Sequence[Described] | None,
) -> Iterator[tuple[Embed, str]]:
    """Yield each `sqlc.embed(t)` that is not a row of one table or sub-select, with the reason."""
    if reader is not None:
        places = _places(found, reader, None if described is None else len(described))
        yield from places.unplaced.items()
        for place in places.found:
            reason = why_unfit(place, places.operands, MysqlEngine(schema.premises))
            yield from ((embed, reason) for embed in place.embeds if reason)
        return
    there = [embed.name for embed in described_embeds(tuple(found), schema, described or ())]
    for embed in found:
        if embed.name in there:
            there.remove(embed.name)
        else:
            yield embed, _unfit(schema.relation(embed.table)) or _ELSEWHERE


def embeds(
    found: Sequence[Embed], reader: Reader, columns: tuple[Column, ...]
) -> tuple[tuple[Column, ...], tuple[TypedEmbed, ...]]:
    """Find the columns of each `sqlc.embed(t)` in the result.

    A row of a WITH query or sub-select becomes a class of its own. For the columns of this class,
    the row is assumed to exist.
    """
    places = _places(found, reader, len(columns))

    def present(at: int, _missing: frozenset[int]) -> Column:
        return _as_present(columns[at], places.shown[at])

    engine = MysqlEngine(reader.schema.premises)
    texts = embedded_rows(places.found, places.operands, columns, engine, present)
    rows = [row for row in texts.values() if isinstance(row, Row)]
    inferred = as_present(columns, rows)
    return inferred, tuple(weakest([row.embed], inferred) for row in rows)


def _places(found: Sequence[Embed], reader: Reader, width: int | None) -> _Places:
    """Return the positions of the macros: one in each SELECT of a set operation."""
    unplaced = dict.fromkeys(found, _ELSEWHERE)
    operands = list(_operands(reader.tree.root))
    there: dict[tuple[int, int], list[tuple[Embed, Part | str]]] = {}
    shown: dict[int, Output] = {}
    for operand in operands:
        for embed, source, level, first in _embedded(operand, found, reader, width):
            if source is None or source.outputs is None or first is None:
                unplaced[embed] = _of_no_source(source, level) or _UNCOUNTED
                continue
            del unplaced[embed]
            part = _of_no_source(source, level) or _part(source, level)
            there.setdefault((first, len(source.shown)), []).append((embed, part))
            shown |= dict(enumerate(source.shown, first))
    places = (
        Place(tuple(embed for embed, _ in both), *where, tuple(part for _, part in both))
        for where, both in sorted(there.items())
    )
    return _Places(len(operands), tuple(places), unplaced, shown)


def _operands(root: exp.Expr) -> Iterator[exp.Expr]:
    """Yield the SELECTs that produce the result: one, or the operands of a UNION in order."""
    stack = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, exp.SetOperation):
            stack += [node.right, node.left]
        elif isinstance(node, exp.Subquery | exp.Paren):
            stack.append(node.this)
        else:
            yield node


def _embedded(
    operand: exp.Expr, found: Sequence[Embed], reader: Reader, width: int | None
) -> Iterator[tuple[Embed, Source | None, Level, int | None]]:
    """Yield each `sqlc.embed(t)` of one SELECT with its FROM item and first result column."""
    level = reader.levels.get(id(operand))
    if level is None:
        return
    items = [(item, _count(item, level, reader)) for item in _list_of(operand)]
    unknown = sum(count is None for _, count in items)
    missing = None
    # The server knows the number of columns that the text does not show.
    if unknown == 1 and width is not None:
        missing = width - sum(count for _, count in items if count is not None)
    first: int | None = 0
    for item, known in items:
        count = missing if known is None else known
        embed = next((e for e in found if e.sql_offset == _start(item, reader)), None)
        if embed is not None:
            yield embed, level.source(item.args["table"].name), level, first
        first = None if first is None or count is None else first + count


def _list_of(operand: exp.Expr) -> list[exp.Expr]:
    """Return the items of a SELECT, or of RETURNING."""
    holder = operand if isinstance(operand, exp.Select) else operand.args.get("returning")
    return holder.expressions if isinstance(holder, exp.Expr) else []


def _count(item: exp.Expr, level: Level, reader: Reader) -> int | None:
    """Return the number of columns of a select item, or None if unknown."""
    if not item.is_star or isinstance(item, exp.Count):
        return 1
    columns = reader.star(level, item)
    return None if columns is None else len(columns)


def _part(source: Source, level: Level) -> Part:
    """Return the columns of `t.*` for the FROM item `t`, and the item if it is a table or view."""
    return Part(row_of(source, level), source if source.relation is not None else None)


def _of_no_source(source: Source | None, level: Level) -> str:
    """Return the reason why a FROM item cannot be embedded, or an empty string."""
    if level.rollup:
        return "some embedded columns are NULL in the rows that ROLLUP adds"
    if source is not None and source.relation is None:
        return "" if source.outputs else "the columns of the embedded source are unknown"
    return _unfit(source.relation if source is not None else None)


def _unfit(relation: Relation | None) -> str:
    if relation is None:
        return "the embedded table is not in the schema"
    return "the embedded table has invisible columns" if relation.invisible else ""


def _as_present(column: Column, output: Output) -> Column:
    proved = output.not_null and not column.not_null
    why = ("the embedded row exists in every row of the result",)
    return replace(column, not_null=True, reasons=why) if proved else column


def _start(item: exp.Expr, reader: Reader) -> int | None:
    """Return the position of `t.*` in the text, or None for any other item."""
    if not isinstance(item, exp.Column) or not item.is_star or not item.table:
        return None
    return reader.tree.filled.to_original(int(item.args["table"].meta["start"]))


def described_embeds(
    found: tuple[Embed, ...], schema: Schema, columns: Sequence[Described]
) -> tuple[TypedEmbed, ...]:
    """Find the columns of each `sqlc.embed(t)` in the server's description, without any proof."""
    typed = []
    at = 0
    for embed in found:
        span = _run(embed.table.lower(), schema, columns, at)
        if span is None:
            continue
        first, relation = span
        count = len(relation.table.columns)
        certain = [i for i, column in enumerate(relation.table.columns) if column.not_null]
        origin = ColumnRef(relation.table.schema, relation.table.name, "")
        presence = first + certain[0] if certain else None
        one = TypedEmbed(embed.name, first, count, origin, True, presence, nest=embed.nest)
        typed.append(one)
        at = first + count
    return tuple(typed)


def _run(
    alias: str, schema: Schema, columns: Sequence[Described], start: int
) -> tuple[int, Relation] | None:
    """Find adjacent result columns that together are all columns of the table with this alias."""
    for first in range(start, len(columns)):
        origin = columns[first].origin
        relation = origin and (schema.relation(origin[1], origin[0]) or schema.relation(origin[1]))
        if relation is None or columns[first].table_alias.lower() != alias:
            continue
        there = columns[first : first + len(relation.table.columns)]
        names = [column.origin and column.origin[2].lower() for column in there]
        if names == [column.name.lower() for column in relation.table.columns]:
            return first, relation
    return None
