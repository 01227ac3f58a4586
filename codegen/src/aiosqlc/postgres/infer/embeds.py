"""Find each `sqlc.embed(t)`, and infer its columns as if each outer join found a row of `t`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from aiosqlc.ir import Column, Embed
from aiosqlc.postgres.infer.prover import Prover
from aiosqlc.postgres.infer.relations import column_in
from aiosqlc.postgres.infer.scope import Scope
from aiosqlc.postgres.infer.stars import Star
from aiosqlc.relational.embeds import Place, operands_of, part_of
from aiosqlc.relational.tree import Query


def places_of(embeds: Sequence[Embed], stars: Sequence[Star], query: Query) -> list[Place]:
    """Return the result columns of each `sqlc.embed(t)`.

    Each operand of a UNION may have an embed at the same columns.
    """
    by_start = {star.start: star for star in stars}
    found: dict[tuple[int, int], list[Embed]] = {}
    for embed in embeds:
        star = by_start.get(embed.sql_offset)
        if star is not None and star.first is not None:
            found.setdefault((star.first, star.count), []).append(embed)
    operands = operands_of(query)
    return [
        Place(tuple(there), *where, tuple(part_of(operand, *where) for operand in operands))
        for where, there in found.items()
    ]


def as_if_present(
    prover: Prover, scope: Scope, columns: Sequence[Column]
) -> Callable[[int, frozenset[int]], Column]:
    """Return a function that infers a result column as if the given outer joins found a match."""

    def inferred(at: int, missing: frozenset[int]) -> Column:
        if not missing:
            return columns[at]
        before = len(prover.ignored_joins)
        prover.ignored_joins.extend((scope, absence) for absence in missing)
        with prover.assuming(scope, tuple(sorted(missing))):
            verdict = column_in(prover, scope, at + 1)
        del prover.ignored_joins[before:]
        return replace(columns[at], not_null=not verdict.null, reasons=verdict.reasons())

    return inferred
