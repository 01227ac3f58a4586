"""Finds a query's stars and what they stand for: a new column must not change its result."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from aiosqlc.postgres.infer import kinds
from aiosqlc.postgres.tree import Node, located, unwrap, walk

_STAR = re.compile(r'((?:(?:"(?:[^"]|"")*"|[\w$]+)\s*\.\s*)*)\*')
_MAYBE = re.compile(
    r"(?i)(?:select|distinct|all|returning|[,.)])\s*(?:--[^\n]*\n\s*|/\*.*?\*/\s*)*\*", re.DOTALL
)
_TARGET = re.compile(
    r"\{TARGETENTRY :expr \{VAR :varno (\d+) [^{}]* :location (\d+)\} :resno \d+"
    r" :resname ((?:\\.|[^\s\\])+)"
)
_ESCAPED = re.compile(r"\\(.)")
_PLAIN = re.compile(r"[a-z_][a-z0-9_$]*")


@dataclass(frozen=True, slots=True)
class Star:
    """One star: its place in the query text, the columns it became, and its place in the output.

    `first` is the index of its first column in the result, or None for a star of a subquery.
    `varno` is the range table entry its columns come from, 0 if from several.
    """

    start: int
    end: int
    text: str
    count: int
    first: int | None
    varno: int


def find_stars(
    sql: str, dump: str, reserved: Collection[str], *, embeds: bool = False
) -> tuple[Star, ...]:
    """Return the stars of the select and returning lists at every level, in source order."""
    if "*" not in sql or not _MAYBE.search(sql):
        return ()
    offsets = _character_offsets(sql)
    simple = None if embeds else _simple_stars(sql, unwrap(dump), offsets, reserved)
    if simple is not None:
        return simple
    queries = [q for q in located(dump) if q.kind == "QUERY"]
    stars: dict[int, Star] = {}
    for top in queries:
        for query in walk(top):
            if query.kind == "QUERY":
                for star in _stars_of(query, sql, offsets, reserved, main=query is top):
                    stars[star.start] = star
    return tuple(stars[start] for start in sorted(stars))


def _simple_stars(
    sql: str, text: str, offsets: dict[int, int], reserved: Collection[str]
) -> tuple[Star, ...] | None:
    """Find stars by the targets' text alone; None where two columns of a star share a name.

    The query that a star stands in is printed before those that merely pass its columns on
    (INSERT, set operations), so the first run of targets with a star's place is the star's.
    """
    runs: dict[int, list[tuple[str, str]]] = {}
    finished: set[int] = set()
    last = -1
    for match in _TARGET.finditer(text):
        varno, place, name = match.group(1), int(match.group(2)), match.group(3)
        if place != last:
            finished.add(last)
        last = place
        if place not in finished:
            runs.setdefault(place, []).append((varno, name))
    stars = []
    for place, members in runs.items():
        start = offsets.get(place, place)
        star = _STAR.match(sql, start)
        if star is None:
            continue
        prefix = star.group(1)
        names = [_ESCAPED.sub(r"\1", name) if "\\" in name else name for _, name in members]
        if len(set(names)) < len(names) and not prefix:
            return None
        columns = ", ".join(prefix + quote(name, reserved) for name in names)
        stars.append(Star(start, star.end(), columns, len(names), None, 0))
    return tuple(sorted(stars, key=lambda star: star.start))


def expand(sql: str, stars: Collection[Star]) -> str:
    """Write the columns in place of every star."""
    for star in sorted(stars, key=lambda s: s.start, reverse=True):
        sql = sql[: star.start] + star.text + sql[star.end :]
    return sql


def _character_offsets(sql: str) -> dict[int, int]:
    """Map byte offsets, which the server counts, to character offsets; empty where they agree."""
    if sql.isascii():
        return {}
    offsets, at = {}, 0
    for index, char in enumerate(sql):
        offsets[at] = index
        at += len(char.encode())
    return offsets


def _stars_of(
    query: Node, sql: str, offsets: dict[int, int], reserved: Collection[str], *, main: bool
) -> Iterator[Star]:
    groups: dict[int, list[tuple[int, Node]]] = {}
    for index, target in enumerate(_written_targets(query)):
        place = target["expr"].get("location", -1)
        if target["expr"].kind == "VAR" and isinstance(place, int) and place >= 0:
            groups.setdefault(place, []).append((index, target))
    for place, members in groups.items():
        start = offsets.get(place, place)
        match = _STAR.match(sql, start)
        if match is None:
            continue
        entries = {target["expr"]["varno"] for _, target in members}
        yield Star(
            start=start,
            end=match.end(),
            text=_columns(query, match.group(1), [t for _, t in members], reserved),
            count=len(members),
            first=members[0][0] if main else None,
            varno=entries.pop() if len(entries) == 1 else 0,
        )


def _written_targets(query: Node) -> list[Node]:
    """Return the target entries the user wrote: not those made for INSERT and set operations."""
    if query["commandType"] != kinds.Command.SELECT:
        return [t for t in query.items("returningList") if not t["resjunk"]]
    if query["setOperations"] is not None:
        return []
    return [t for t in query.items("targetList") if not t["resjunk"]]


def _columns(query: Node, prefix: str, targets: list[Node], reserved: Collection[str]) -> str:
    names = [_name(query, target) for target in targets]
    seen = Counter(names)
    parts = []
    for name, target in zip(names, targets, strict=True):
        qualifier = prefix
        if not prefix and seen[name] > 1:
            entry = query["rtable"][target["expr"]["varno"] - 1]
            qualifier = quote(str(entry["eref"]["aliasname"]), reserved) + "."
        parts.append(qualifier + quote(name, reserved))
    return ", ".join(parts)


def _name(query: Node, target: Node) -> str:
    var = target["expr"]
    entry = query["rtable"][var["varno"] - 1]
    if entry["rtekind"] != kinds.Rte.GROUP:
        names = entry["eref"]["colnames"] or []
        if 0 < var["varattno"] <= len(names):
            return str(names[var["varattno"] - 1])
    return str(target["resname"])


def quote(name: str, reserved: Collection[str]) -> str:
    """Quote an identifier where it needs it."""
    if _PLAIN.fullmatch(name) and name not in reserved:
        return name
    return '"' + name.replace('"', '""') + '"'
