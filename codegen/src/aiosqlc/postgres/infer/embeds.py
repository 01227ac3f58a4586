"""Embedded rows: `sqlc.embed(t)` as one value, optional as a whole where its row may be missing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from aiosqlc.ir import Column, ColumnRef, Embed, ParsedQuery, TypedEmbed, Variant
from aiosqlc.postgres.infer import kinds
from aiosqlc.postgres.infer.grouping import twice_grouped
from aiosqlc.postgres.infer.outputs import output_targets, parts_of
from aiosqlc.postgres.infer.prover import Prover
from aiosqlc.postgres.infer.relations import absences, column_in
from aiosqlc.postgres.infer.scope import Scope
from aiosqlc.postgres.infer.stars import Star
from aiosqlc.postgres.tree import Node


@dataclass(frozen=True, slots=True)
class Place:
    """The columns of an embedded row among those of the result.

    There is one of `embeds` in a plain query, and one in each part of a set operation.
    """

    embeds: tuple[Embed, ...]
    first: int
    count: int


@dataclass(frozen=True, slots=True)
class Row:
    """An embedded row in one text, with its columns inferred as if the row was present."""

    embed: TypedEmbed
    columns: tuple[Column, ...]


Found = Mapping[Place, Row | str]
"""The embedded row at each place of one text, or why it is not a row of one source."""

_ELSEWHERE = "it is not in a select list of the result, or a rule rewrites the statement"


def places_of(embeds: Sequence[Embed], stars: Sequence[Star]) -> list[Place]:
    """Return the place of each `sqlc.embed(t)`; several at one place are from a set operation."""
    by_start = {star.start: star for star in stars}
    found: dict[tuple[int, int], list[Embed]] = {}
    for embed in embeds:
        star = by_start.get(embed.sql_offset)
        if star is not None and star.first is not None:
            found.setdefault((star.first, star.count), []).append(embed)
    return [Place(tuple(there), *where) for where, there in found.items()]


def embedded_rows(
    places: Sequence[Place], prover: Prover, scope: Scope, columns: tuple[Column, ...]
) -> Found:
    """Infer the row at each place in one text of a query.

    Inside a row that may be missing, columns are judged as if it were there: the whole row is
    optional, not each of its fields.
    """
    embeds: dict[Place, Row | str] = {}
    for place in places:
        parts = [scope.inner(scope.entry(n)["subquery"]) for n in parts_of(scope.query)]
        rows = [(part, _row(part, place)) for part in parts or [scope]]
        found = [(part, row) for part, row in rows if row is not None]
        missing = [absences(part, row) for part, row in found]
        tables = {_table(part, row) for part, row in found}
        problem = _unfit(place, len(rows), missing, tables)
        if problem:
            embeds[place] = problem
            continue
        inside = range(place.first, place.first + place.count)
        judged = [
            _as_present(prover, scope, columns[at], at + 1, missing[0])
            if missing[0]
            else columns[at]
            for at in inside
        ]
        table = tables.pop()
        name, *others = [embed.name for embed in place.embeds]
        if table is None or not _certain_enough(*found[0], judged):
            table = ColumnRef("", place.embeds[0].table, "")  # a row of this query's own
        row = TypedEmbed(
            name=name,
            first=place.first,
            count=place.count,
            table=table,
            nullable=bool(missing[0]),
            others=tuple(others),
        )
        embeds[place] = Row(row, tuple(judged))
    return embeds


def _unfit(
    place: Place, parts: int, missing: Sequence[list[int]], tables: Collection[ColumnRef | None]
) -> str:
    """Return why a row at a place is not one value, or empty text.

    In a set operation nothing is proved but that it is there, and of one table, in every part.
    """
    if len(place.embeds) < parts:
        return "another part of the set operation lists its columns at this position"
    if len(missing) < parts:
        return "its columns are not from one row: they are listed, or grouped by sets of keys"
    if parts > 1 and any(missing):
        return "an outer join may omit it in a part of the set operation"
    if parts > 1 and None in tables:
        return "in a part of the set operation it is not a table or view"
    if len(tables) > 1:
        return "the parts of the set operation embed rows of different tables"
    return ""


def fitting(
    query: ParsedQuery, texts: Sequence[Found]
) -> tuple[list[list[Row]], list[tuple[Embed, str]]]:
    """Return the rows that fit every text, and the embeds that do not fit one of them.

    The texts are the query's own, then its variants'.
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
    """Return the columns of a text, those of embedded rows as if the rows were present."""
    changed = list(columns)
    for row in rows:
        changed[row.embed.first : row.embed.first + row.embed.count] = row.columns
    return tuple(changed)


def weakest(rows: Sequence[Row], columns: Sequence[Column]) -> TypedEmbed:
    """Return the common facts of a row in every text of a query; `columns` hold in all of them."""
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
    """Return what another text of the query embeds at a place."""
    where = (place.first, place.count)
    return next(
        (row for there, row in text.items() if (there.first, there.count) == where),
        "nothing is embedded at this position",
    )


def _left_out(query: ParsedQuery, variant: Variant) -> str:
    """Return the optional parts that a text omits."""
    names = [
        f"`{name}`"
        for part, there in zip(query.dynamic, variant.key, strict=True)
        if part.kind != "sort" and not there
        for name in (part.name, *part.also)
    ]
    return f"without {', '.join(dict.fromkeys(names))}: " if names else ""


def _row(scope: Scope, place: Place) -> list[Node] | None:
    """Return the columns at a place if they are one row of one source, whole or missing."""
    targets = output_targets(scope.query)[place.first : place.first + place.count]
    columns = [_ungrouped(scope, target["expr"]) for target in targets]
    found = [column for column in columns if column is not None and column.kind == "VAR"]
    sources = {(v["varno"], v["varlevelsup"], v.get("varreturningtype", 0)) for v in found}
    return found if len(found) == len(columns) and len(sources) == 1 else None


def _ungrouped(scope: Scope, node: Node) -> Node | None:
    """Return the column behind a key of GROUP BY; None if a grouping set may omit it."""
    if node.kind != "VAR" or node["varlevelsup"] or node["varno"] > len(scope.range_table):
        return node
    entry = scope.entry(node["varno"])
    if entry["rtekind"] != kinds.Rte.GROUP:
        return node
    nulled = scope.alive(node["varno"], node["varnullingrels"] or ())
    if nulled or node["varattno"] in twice_grouped(scope.query, entry["groupexprs"]):
        return None
    behind: Node = entry["groupexprs"][node["varattno"] - 1]
    return behind


def _as_present(
    prover: Prover, scope: Scope, column: Column, number: int, missing: list[int]
) -> Column:
    """Infer a column of the result as if its row was present."""
    prover.ignored_joins.extend((scope, absence) for absence in missing)
    with prover.assuming(scope, tuple(missing)):
        verdict = column_in(prover, scope, number)
    del prover.ignored_joins[-len(missing) :]
    return replace(column, not_null=not verdict.null, reasons=verdict.reasons())


def _certain_enough(scope: Scope, row: list[Node], columns: list[Column]) -> bool:
    """Return whether the columns are as certain as those of the table, whose class the row has."""
    entry = scope.entry(row[0]["varno"])
    return all(
        column.not_null or not scope.catalog.not_null(entry["relid"], var["varattno"])
        for var, column in zip(row, columns, strict=True)
    )


def _table(scope: Scope, row: list[Node]) -> ColumnRef | None:
    """Return the table or view with exactly these columns, in its order."""
    relation = scope.entry(row[0]["varno"]).get("relid") or 0
    entry = scope.catalog.relations.get(relation)
    whole = [column.number for column in scope.catalog.columns.get(relation, ())]
    if entry is None or whole != [column["varattno"] for column in row]:
        return None
    return ColumnRef(entry.schema, entry.name, "")
