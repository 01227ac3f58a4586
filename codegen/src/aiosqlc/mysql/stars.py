"""Expand `*` in the generated text, so that a new table column does not break deployed code."""

from __future__ import annotations

from sqlglot import exp

from aiosqlc.mysql.reader import Reader
from aiosqlc.mysql.scope import Level
from aiosqlc.mysql.words import quoted

_APART = " \t\r\n(),;"
"""Characters that separate a name from other text, so that no space is necessary."""


def expand(sql: str, reader: Reader) -> str:
    """Return `sql` with `*` expanded in its select lists, if all columns are known."""
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
        if text and "end" in star.meta:  # `TABLE t` has no star in its text
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
    table, database = (item.table, item.db) if isinstance(item, exp.Column) else ("", "")
    sources = [level.source(table, database)] if table else list(level.sources)
    if not sources or (level.joined_by_name and not table):
        return None
    known = [source for source in sources if source is not None and source.outputs is not None]
    if len(known) < len(sources):
        return None
    if any(output.nameless for source in known for output in source.shown):
        return None  # only the query itself can change these columns
    names = [output.name.lower() for source in known for output in source.shown]
    qualified = bool(table) or len(set(names)) < len(names)
    return ", ".join(
        f"{quoted(source.alias)}.{quoted(output.name)}" if qualified else quoted(output.name)
        for source in known
        for output in source.shown
    )
