"""Embedded rows: `sqlc.embed(t)` as one value, optional as a whole where its row may be missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from aiosqlc.ir import Column, ColumnRef, ParsedQuery, TypedEmbed
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
    """Where a row is embedded: what its columns are among those of the result.

    `others` is what the further parts of a set operation call it.
    """

    name: str
    first: int
    count: int
    others: tuple[str, ...] = ()


def places_of(query: ParsedQuery, stars: Sequence[Star]) -> list[Place]:
    """Return the place of each `sqlc.embed(t)`; those at one place are of a set operation."""
    by_start = {star.start: star for star in stars}
    found: dict[tuple[int, int], list[str]] = {}
    for embed in query.embeds:
        star = by_start.get(embed.sql_offset)
        if star is not None and star.first is not None:
            found.setdefault((star.first, star.count), []).append(embed.table)
    return [Place(name, *where, others=tuple(others)) for where, (name, *others) in found.items()]


def embedded_rows(
    places: Sequence[Place], prover: Prover, scope: Scope, columns: tuple[Column, ...]
) -> tuple[tuple[Column, ...], list[TypedEmbed | None]]:
    """Judge the row at each place in one text of a query; None where it is no row of one source.

    Inside a row that may be missing, columns are judged as if it were there: the whole row is
    optional, not each of its fields.
    """
    changed = list(columns)
    embeds: list[TypedEmbed | None] = []
    for place in places:
        inside = range(place.first, place.first + place.count)
        parts = [scope.inner(scope.entry(n)["subquery"]) for n in parts_of(scope.query)]
        rows = [(part, _row(part, place)) for part in parts or [scope]]
        found = [(part, row) for part, row in rows if row is not None]
        if not len(found) == len(rows) == 1 + len(place.others):
            embeds.append(None)
            continue
        missing = [absences(part, row) for part, row in found]
        tables = {_table(part, row) for part, row in found}
        if parts and (any(missing) or len(tables) > 1 or None in tables):
            embeds.append(None)  # present, and of one table, in every part: nothing else is proved
            continue
        for index in inside if missing[0] else ():
            changed[index] = _as_present(prover, scope, columns[index], index + 1, missing[0])
        judged = changed[place.first : place.first + place.count]
        table = tables.pop()
        if table is None or not _certain_enough(*found[0], judged):
            table = ColumnRef("", place.name, "")  # a row of this query's own
        embeds.append(
            TypedEmbed(
                name=place.name,
                first=place.first,
                count=place.count,
                table=table,
                nullable=bool(missing[0]),
                others=place.others,
            )
        )
    return tuple(changed), embeds


def weakest_embeds(
    texts: Sequence[Sequence[TypedEmbed | None]], columns: Sequence[Column]
) -> Iterator[TypedEmbed]:
    """Yield what holds of each row in every text of a query; `columns` hold in all of them."""
    for each in zip(*texts, strict=True):
        found = [embed for embed in each if embed is not None]
        if len(found) < len(each):
            continue
        one, inside = found[0], range(found[0].first, found[0].first + found[0].count)
        nullable = any(embed.nullable for embed in found)
        shared = all(embed.table == one.table for embed in found)
        yield replace(
            one,
            table=one.table if shared else ColumnRef("", one.name, ""),
            nullable=nullable,
            presence=next((i for i in inside if nullable and columns[i].not_null), None),
        )


def _row(scope: Scope, place: Place) -> list[Node] | None:
    """Return the columns at a place if they are one row of one source, whole or missing."""
    targets = output_targets(scope.query)[place.first : place.first + place.count]
    columns = [_ungrouped(scope, target["expr"]) for target in targets]
    found = [column for column in columns if column is not None and column.kind == "VAR"]
    sources = {(v["varno"], v["varlevelsup"], v.get("varreturningtype", 0)) for v in found}
    return found if len(found) == len(columns) and len(sources) == 1 else None


def _ungrouped(scope: Scope, node: Node) -> Node | None:
    """Return the column behind a key of GROUP BY; None where a grouping set may leave it out."""
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
    """Judge a column of the result as if its row were there."""
    prover.ignored_joins.extend((scope, absence) for absence in missing)
    with prover.assuming(scope, tuple(missing)):
        verdict = column_in(prover, scope, number)
    del prover.ignored_joins[-len(missing) :]
    return replace(column, not_null=not verdict.null, reasons=verdict.reasons())


def _certain_enough(scope: Scope, row: list[Node], columns: list[Column]) -> bool:
    """Whether the columns are as certain as those of the table, whose class the row has."""
    entry = scope.entry(row[0]["varno"])
    return all(
        column.not_null or not scope.catalog.not_null(entry["relid"], var["varattno"])
        for var, column in zip(row, columns, strict=True)
    )


def _table(scope: Scope, row: list[Node]) -> ColumnRef | None:
    """Return the table or view whose columns these are, all of them and in its order."""
    relation = scope.entry(row[0]["varno"]).get("relid") or 0
    entry = scope.catalog.relations.get(relation)
    whole = [column.number for column in scope.catalog.columns.get(relation, ())]
    if entry is None or whole != [column["varattno"] for column in row]:
        return None
    return ColumnRef(entry.schema, entry.name, "")
