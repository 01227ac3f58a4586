"""`*` in the sent text becomes the columns it meant: a new column cannot break running code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlglot import exp

from aiosqlc.ir import Column, ColumnRef, Embed, TypedEmbed
from aiosqlc.mysql.prepare import Described
from aiosqlc.mysql.reader import Reader
from aiosqlc.mysql.relations import Relation, Schema
from aiosqlc.mysql.scope import Level, Output, Source
from aiosqlc.mysql.words import quoted

_APART = " \t\r\n(),;"
"""What may stand next to a name and is no part of it."""


def expand(sql: str, reader: Reader) -> str:
    """Return `sql` with the stars of its select lists written out, where all columns are known."""
    edits = []
    for star in reader.tree.root.find_all(exp.Star):
        item = star.parent if isinstance(star.parent, exp.Column) else star
        holder = item.parent
        if not isinstance(holder, exp.Select | exp.Returning) or isinstance(
            holder.parent, exp.Exists
        ):
            continue
        level = reader.level_of(holder)
        text = _columns(item, level) if level else None
        if text and "end" in star.meta:  # there is none in `TABLE t`
            start, end = _extent(item, star)
            edits.append(
                (reader.tree.filled.to_original(start), reader.tree.filled.to_original(end), text)
            )
    for start, end, text in sorted(edits, reverse=True):
        before, after = sql[:start], sql[end:]
        left = "" if not before or before[-1] in _APART else " "
        right = "" if not after or after[0] in _APART else " "
        sql = before + left + text + right + after
    return sql


def _extent(item: exp.Expr, star: exp.Star) -> tuple[int, int]:
    end = int(star.meta["end"]) + 1
    parts = [part for part in (item.args.get("db"), item.args.get("table")) if part is not None]
    return (int(parts[0].meta["start"]) if parts else int(star.meta["start"])), end


def _columns(item: exp.Expr, level: Level) -> str | None:
    table = item.table if isinstance(item, exp.Column) else ""
    sources = [level.source(table)] if table else list(level.sources)
    if not sources or (level.joined_by_name and not table):
        return None
    known = [source for source in sources if source is not None and source.outputs is not None]
    if len(known) < len(sources):
        return None
    if any(output.nameless for source in known for output in source.shown):
        return None  # nobody but a sub-select of the query itself can change these
    names = [output.name.lower() for source in known for output in source.shown]
    qualified = bool(table) or len(set(names)) < len(names)
    return ", ".join(
        f"{quoted(source.alias)}.{quoted(output.name)}" if qualified else quoted(output.name)
        for source in known
        for output in source.shown
    )


def why_not_whole(embed: Embed, reader: Reader | None, schema: Schema) -> str:
    """Say why what is embedded is not a row of one source, or return an empty string."""
    root = reader.tree.root if reader else None
    relation = schema.relation(embed.table)
    if reader is not None:
        level = reader.levels.get(id(root))
        if not isinstance(root, exp.Select) or level is None:
            return "this is not one SELECT"
        if level.rollup:
            return "the rows that ROLLUP adds have NULL in some of its columns"
        source = level.source(embed.table)
        if source is not None and source.relation is None:
            return "" if source.outputs else "its columns are not known"
        if source is not None:
            relation = source.relation
    if relation is None:
        return "it is no table of the schema"
    return "it has invisible columns" if relation.invisible else ""


def embeds(
    found: tuple[Embed, ...], reader: Reader, columns: tuple[Column, ...]
) -> tuple[tuple[Column, ...], tuple[TypedEmbed, ...]]:
    """Find the columns of each `sqlc.embed(t)` in the outermost select list.

    A row of a WITH query or sub-select has a class of this query's own: where the whole row may be
    missing, its columns are judged as if it were there.
    """
    select = reader.tree.root
    level = reader.levels.get(id(select))
    if not isinstance(select, exp.Select) or level is None:
        return columns, ()
    judged = list(columns)
    typed = []
    position = 0
    for item in select.expressions:
        if not item.is_star or isinstance(item, exp.Count):
            position += 1
            continue
        table = item.table if isinstance(item, exp.Column) else ""
        sources = [level.source(table)] if table else list(level.sources)
        shown = [output for source in sources if source for output in source.shown]
        embed = next((e for e in found if table and e.sql_offset == _start(item, reader)), None)
        if embed and sources[0]:
            typed.append(_embed(embed, sources[0], level, position))
            if sources[0].relation is None and typed[-1].nullable:
                inside = slice(position, position + len(shown))
                judged[inside] = map(_as_present, columns[inside], shown)
        position += len(shown)
    return tuple(judged), tuple(typed)


def _as_present(column: Column, output: Output) -> Column:
    proved = output.not_null and not column.not_null
    why = ("it has a value in every row of its source",)
    return replace(column, not_null=True, reasons=why) if proved else column


def _start(item: exp.Expr, reader: Reader) -> int:
    return reader.tree.filled.to_original(int(item.args["table"].meta["start"]))


def _embed(embed: Embed, source: Source, level: Level, first: int) -> TypedEmbed:
    # An aggregate over no row gives one of NULLs.
    nullable = level.can_be_nulled(source) or level.bare_is_null
    certain = [i for i, o in enumerate(source.shown) if o.not_null]
    table = source.relation.table if source.relation else None
    origin = ColumnRef(table.schema, table.name, "") if table else ColumnRef("", embed.table, "")
    presence = first + certain[0] if nullable and certain else None
    return TypedEmbed(embed.table, first, len(source.shown), origin, nullable, presence)


def described_embeds(
    found: tuple[Embed, ...], schema: Schema, columns: Sequence[Described]
) -> tuple[TypedEmbed, ...]:
    """Find each embedded row among the columns that the server describes, as optional."""
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
        typed.append(TypedEmbed(embed.table, first, count, origin, True, presence))
        at = first + count
    return tuple(typed)


def _run(
    alias: str, schema: Schema, columns: Sequence[Described], start: int
) -> tuple[int, Relation] | None:
    """Find the columns of a whole table under an alias, one after the other."""
    for first in range(start, len(columns)):
        origin = columns[first].origin
        relation = schema.relation(origin[1]) if origin else None
        if relation is None or columns[first].table_alias.lower() != alias:
            continue
        there = columns[first : first + len(relation.table.columns)]
        names = [column.origin and column.origin[2].lower() for column in there]
        if names == [column.name.lower() for column in relation.table.columns]:
            return first, relation
    return None
