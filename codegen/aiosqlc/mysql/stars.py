"""`*` in the sent text becomes the columns it meant: a new column cannot break running code."""

from __future__ import annotations

import re

from sqlglot import exp
from sqlglot.dialects.mysql import MySQL

from aiosqlc.mysql.reader import Reader
from aiosqlc.mysql.scope import Level, Source
from aiosqlc.stages import ColumnRef, Embed, TypedEmbed

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_RESERVED = frozenset(MySQL.Generator.RESERVED_KEYWORDS) | {
    "rows",
    "row",
    "rank",
    "groups",
    "system",
    "offset",
    "returning",
}


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
        sql = sql[:start] + text + sql[end:]
    return sql


def _extent(item: exp.Expr, star: exp.Star) -> tuple[int, int]:
    end = int(star.meta["end"]) + 1
    parts = [part for part in (item.args.get("db"), item.args.get("table")) if part is not None]
    return (int(parts[0].meta["start"]) if parts else int(star.meta["start"])), end


def _columns(item: exp.Expr, level: Level) -> str | None:
    table = item.table if isinstance(item, exp.Column) else ""
    sources = [level.source(table)] if table else list(level.sources)
    if not sources or (level.merged and not table):
        return None
    known = [source for source in sources if source is not None and source.outputs is not None]
    if len(known) < len(sources):
        return None
    names = [output.name.lower() for source in known for output in source.shown]
    qualified = bool(table) or len(set(names)) < len(names)
    return ", ".join(
        f"{quoted(source.alias)}.{quoted(output.name)}" if qualified else quoted(output.name)
        for source in known
        for output in source.shown
    )


def quoted(name: str) -> str:
    """Return an identifier, in backticks where it needs them."""
    if _PLAIN.match(name) and name.lower() not in _RESERVED:
        return name
    return "`" + name.replace("`", "``") + "`"


def embeds(found: tuple[Embed, ...], reader: Reader) -> tuple[TypedEmbed, ...]:
    """Find the columns of each `sqlc.embed(t)` in the outermost select list."""
    select = reader.tree.root
    level = reader.levels.get(id(select))
    if not isinstance(select, exp.Select) or level is None:
        return ()
    typed = []
    position = 0
    for item in select.expressions:
        if not (isinstance(item, exp.Column) and item.is_star):
            position += 1
            continue
        source = level.source(item.table)
        count = len(source.outputs or ()) if source else 0
        at = reader.tree.filled.to_original(int(item.args["table"].meta["start"]))
        embed = next((e for e in found if e.sql_offset == at), None)
        if embed and source and source.relation:
            typed.append(_embed(embed, source, level, position, count))
        position += count
    return tuple(typed)


def _embed(embed: Embed, source: Source, level: Level, first: int, count: int) -> TypedEmbed:
    nullable = level.can_be_nulled(source)
    certain = [i for i, o in enumerate(source.outputs or ()) if o.not_null]
    table = source.relation.table if source.relation else None
    origin = ColumnRef(table.schema if table else "", table.name if table else "", "")
    presence = first + certain[0] if nullable and certain else None
    return TypedEmbed(embed.table, first, count, origin, nullable, presence)
