"""Type `sqlc.embed(t)` as one value, which is optional if its row may be missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from aiosqlc.ir import Column, ColumnRef, Embed, TypedEmbed
from aiosqlc.mysql.prepare import Described
from aiosqlc.mysql.reader import Reader
from aiosqlc.mysql.relations import Relation, Schema
from aiosqlc.mysql.scope import Level, Output, Source

_ELSEWHERE = "the embed is not in the select list of the result"
_UNCOUNTED = "the number of columns of a `*` before the embed is unknown"


@dataclass(frozen=True, slots=True)
class _Place:
    """An `sqlc.embed(t)` in one SELECT of the result, with the index of its first result column."""

    embed: Embed
    first: int
    source: Source
    level: Level

    @property
    def where(self) -> tuple[int, int]:
        return self.first, len(self.source.shown)

    @property
    def nullable(self) -> bool:
        """Return whether the whole row may be missing, for example in an outer join.

        An aggregate query over no rows returns NULLs.
        """
        return self.level.can_be_nulled(self.source) or self.level.bare_is_null


def why_not_whole(
    found: Sequence[Embed],
    reader: Reader | None,
    schema: Schema,
    described: Sequence[Described] | None,
) -> Iterator[tuple[Embed, str]]:
    """Yield each `sqlc.embed(t)` that is not a row of one table or sub-select, with the reason."""
    if reader is not None:
        width = None if described is None else len(described)
        yield from _placed(found, reader, width)[1].items()
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

    A row of a WITH query or sub-select has a class of this query's own. If the whole row may be
    missing, its columns are inferred as if it were present.
    """
    judged = list(columns)
    typed = []
    for one, *others in _placed(found, reader, len(columns))[0]:
        first, count = one.where
        inside = slice(first, first + count)
        if one.source.relation is None and one.nullable:
            judged[inside] = map(_as_present, columns[inside], one.source.shown)
        embed = _embed(one, others, judged[inside])
        typed.append(embed)
    return tuple(judged), tuple(typed)


def _placed(
    found: Sequence[Embed], reader: Reader, width: int | None
) -> tuple[list[list[_Place]], Mapping[Embed, str]]:
    """Return the positions of each `sqlc.embed(t)`, and the reasons for those that are refused.

    An embed has a position in each operand of a set operation.
    """
    refused = dict.fromkeys(found, _ELSEWHERE)
    parts = list(_parts(reader.tree.root))
    groups: dict[tuple[int, int], list[_Place]] = {}
    for part in parts:
        for embed, place in _in_part(part, found, reader, width):
            if isinstance(place, str):
                refused[embed] = place
            else:
                groups.setdefault(place.where, []).append(place)
    fit = []
    for group in groups.values():
        reason = _apart(group, len(parts)) if len(parts) > 1 else ""
        if reason:
            refused.update((place.embed, reason) for place in group)
            continue
        fit.append(group)
        for place in group:
            del refused[place.embed]
    return sorted(fit, key=lambda group: group[0].where), refused


def _parts(root: exp.Expr) -> Iterator[exp.Expr]:
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


def _in_part(
    part: exp.Expr, found: Sequence[Embed], reader: Reader, width: int | None
) -> Iterator[tuple[Embed, _Place | str]]:
    """Yield each `sqlc.embed(t)` of one SELECT with its position or the reason of a refusal."""
    level = reader.levels.get(id(part))
    if level is None:
        return
    items = [(item, _count(item, level, reader)) for item in _list_of(part)]
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
            source = level.source(item.args["table"].name)
            reason = _of_no_source(source, level)
            if source is None or reason:
                yield embed, reason
            else:
                yield embed, _UNCOUNTED if first is None else _Place(embed, first, source, level)
        first = None if first is None or count is None else first + count


def _list_of(part: exp.Expr) -> list[exp.Expr]:
    """Return the items of a SELECT, or of RETURNING."""
    holder = part if isinstance(part, exp.Select) else part.args.get("returning")
    return holder.expressions if isinstance(holder, exp.Expr) else []


def _count(item: exp.Expr, level: Level, reader: Reader) -> int | None:
    """Return the number of columns of a select item, or None if unknown."""
    if not item.is_star or isinstance(item, exp.Count):
        return 1
    columns = reader.star(level, item)
    return None if columns is None else len(columns)


def _of_no_source(source: Source | None, level: Level) -> str:
    if level.rollup:
        return "some embedded columns are NULL in the rows that ROLLUP adds"
    if source is not None and source.relation is None:
        return "" if source.outputs else "the columns of the embedded source are unknown"
    return _unfit(source.relation if source is not None else None)


def _unfit(relation: Relation | None) -> str:
    if relation is None:
        return "the embedded table is not in the schema"
    return "the embedded table has invisible columns" if relation.invisible else ""


def _apart(places: Sequence[_Place], parts: int) -> str:
    """Return the reason to refuse an `sqlc.embed(t)` in a UNION, or an empty string.

    The only proved facts are that the row is present in every operand, and that it is a row of one
    table.
    """
    if len(places) < parts:
        return "another part of the set operation has single columns at this position"
    if any(place.nullable for place in places):
        return "an outer join may omit the embedded row in a part of the set operation"
    if any(place.source.relation is None for place in places):
        return "in a part of the set operation the embed is not a table or view"
    if len({_table(place.source) for place in places}) > 1:
        return "the parts of the set operation embed rows of different tables"
    return ""


def _table(source: Source) -> ColumnRef | None:
    table = source.relation.table if source.relation else None
    return ColumnRef(table.schema, table.name, "") if table else None


def _embed(one: _Place, others: Sequence[_Place], columns: Sequence[Column]) -> TypedEmbed:
    """Type a row.

    In a set operation, the row has the table's class if its columns are equal to the table's.
    """
    first, count = one.where
    certain = [i for i, output in enumerate(one.source.shown) if output.not_null]
    table = _table(one.source)
    relation = one.source.relation
    if others and relation is not None and not _as_declared(columns, relation):
        table = None
    return TypedEmbed(
        one.embed.name,
        first,
        count,
        table or ColumnRef("", one.embed.table, ""),
        one.nullable,
        first + certain[0] if one.nullable and certain else None,
        tuple(place.embed.name for place in others),
        one.embed.nest,
    )


def _as_declared(columns: Sequence[Column], relation: Relation) -> bool:
    return all(
        column.type == declared.type and column.not_null >= declared.not_null
        for column, declared in zip(columns, relation.table.columns, strict=True)
    )


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
    """Find adjacent result columns that are all columns of the table with this alias."""
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
