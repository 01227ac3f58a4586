"""Embedded rows: `sqlc.embed(t)` as one value, optional as a whole where its row may be missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from aiosqlc.ir import Column, ColumnRef, ParsedQuery, TypedEmbed
from aiosqlc.postgres.infer import kinds
from aiosqlc.postgres.infer.grouping import twice_grouped
from aiosqlc.postgres.infer.outputs import output_targets
from aiosqlc.postgres.infer.prover import Prover
from aiosqlc.postgres.infer.relations import absences, column_in
from aiosqlc.postgres.infer.scope import Scope
from aiosqlc.postgres.infer.stars import Star
from aiosqlc.postgres.tree import Node


def embedded_rows(
    query: ParsedQuery,
    prover: Prover,
    scope: Scope,
    columns: tuple[Column, ...],
    stars: Sequence[Star],
) -> tuple[tuple[Column, ...], list[TypedEmbed]]:
    """Find the columns of each `sqlc.embed(t)`; leave out those that are no row of one source.

    Inside a row that may be missing, columns are judged as if it were there: the whole row is
    optional, not each of its fields.
    """
    by_place = {star.start: star for star in stars if star.first is not None}
    changed = list(columns)
    embeds = []
    for embed in query.embeds:
        star = by_place.get(embed.sql_offset)
        row = _row(scope, star) if star is not None else None
        if star is None or star.first is None or row is None:
            continue
        inside = range(star.first, star.first + star.count)
        missing = absences(scope, row)
        judged = {
            index: _as_present(prover, scope, columns[index], index + 1, missing)
            if missing
            else columns[index]
            for index in inside
        }
        table = _table(scope, row)
        if table is None or not _certain_enough(scope, row, list(judged.values())):
            table = ColumnRef("", embed.table, "")  # a row of this query's own
        for index, column in judged.items():
            changed[index] = column
        embeds.append(
            TypedEmbed(
                name=embed.table,
                first=star.first,
                count=star.count,
                table=table,
                nullable=bool(missing),
                presence=next((i for i in inside if missing and judged[i].not_null), None),
            )
        )
    return tuple(changed), embeds


def _row(scope: Scope, star: Star) -> list[Node] | None:
    """Return the columns of a star if they are one row of one source, whole or missing."""
    first = star.first or 0
    targets = output_targets(scope.query)[first : first + star.count]
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
