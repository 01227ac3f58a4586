"""Embedded rows: `sqlc.embed(t)` as one value, optional as a whole below an outer join."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from aiosqlc.postgres.infer.outputs import output_targets
from aiosqlc.postgres.infer.prover import Prover
from aiosqlc.postgres.infer.relations import column_in
from aiosqlc.postgres.infer.scope import Scope
from aiosqlc.postgres.infer.stars import Star
from aiosqlc.stages import Column, ColumnRef, ParsedQuery, TypedEmbed


def embedded_rows(
    query: ParsedQuery,
    prover: Prover,
    scope: Scope,
    columns: tuple[Column, ...],
    stars: Sequence[Star],
) -> tuple[tuple[Column, ...], list[TypedEmbed]]:
    """Find the columns of each `sqlc.embed(t)`.

    Inside a row that may be missing, columns are judged as if it were there: the whole row is
    optional, not each of its fields.
    """
    by_place = {star.start: star for star in stars if star.first is not None}
    changed = list(columns)
    embeds = []
    for embed in query.embeds:
        star = by_place.get(embed.sql_offset)
        if star is None or star.first is None or not star.varno:
            continue
        joins = _missing_by(scope, star, star.first)
        inside = range(star.first, star.first + star.count)
        if joins:
            _judge_as_present(prover, scope, inside, joins, changed)
        embeds.append(
            TypedEmbed(
                name=embed.table,
                first=star.first,
                count=star.count,
                table=_table(scope, star, embed.table),
                nullable=bool(joins),
                presence=next((i for i in inside if joins and changed[i].not_null), None),
            )
        )
    return tuple(changed), embeds


def _missing_by(scope: Scope, star: Star, first: int) -> list[int]:
    """Return the outer joins that can leave the row out."""
    targets = output_targets(scope.query)[first : first + star.count]
    nulling = frozenset().union(*(t["expr"]["varnullingrels"] or () for t in targets))
    return scope.alive(star.varno, nulling)


def _judge_as_present(
    prover: Prover, scope: Scope, inside: range, joins: list[int], changed: list[Column]
) -> None:
    prover.ignored_joins.extend((scope, join) for join in joins)
    with prover.assuming(scope, tuple(joins)):
        for index in inside:
            verdict = column_in(prover, scope, index + 1)
            changed[index] = replace(
                changed[index], not_null=not verdict.null, reasons=verdict.reasons()
            )
    del prover.ignored_joins[-len(joins) :]


def _table(scope: Scope, star: Star, name: str) -> ColumnRef:
    relation = scope.entry(star.varno).get("relid") or 0
    entry = scope.catalog.relations.get(relation)
    return ColumnRef(entry.schema, entry.name, "") if entry else ColumnRef("", name, "")
