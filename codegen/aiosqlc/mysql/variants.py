"""The reachable texts of a dynamic query: each is typed, and what holds of all is claimed."""

from __future__ import annotations

from dataclasses import replace

from aiosqlc.ir import Cardinality, Column, ParsedQuery, TypedQuery, Variant

_ORDER = (Cardinality.ONE, Cardinality.ZERO_OR_ONE, Cardinality.SOME, Cardinality.MANY)


def as_query(query: ParsedQuery, variant: Variant) -> ParsedQuery:
    """Return a variant as a query of its own, whose `$n` are the variant's."""
    by_number = {param.number: param for param in query.params}
    params = tuple(
        replace(by_number[number], number=position)
        for position, number in enumerate(variant.numbers, start=1)
    )
    return replace(
        query,
        sql=variant.sql,
        source_map=variant.source_map,
        params=params,
        variants=(),
        dynamic=(),
    )


def merge(whole: TypedQuery, one: TypedQuery, variant: Variant) -> TypedQuery:
    """Add a typed variant: a column is not null, and a row there, only if it is in every text."""
    columns = tuple(
        _weaker(ours, theirs) for ours, theirs in zip(whole.columns, one.columns, strict=False)
    )
    text = replace(variant, sql=one.sql)
    return replace(
        whole,
        columns=columns,
        cardinality=_weaker_count(whole.cardinality, one.cardinality),
        variants=(*whole.variants, text),
        unproved_reading=whole.unproved_reading or one.unproved_reading,
    )


def _weaker(ours: Column, theirs: Column) -> Column:
    return ours if not ours.not_null or theirs.not_null else replace(ours, not_null=False)


def _weaker_count(ours: Cardinality, theirs: Cardinality) -> Cardinality:
    if {ours, theirs} == {Cardinality.ZERO_OR_ONE, Cardinality.SOME}:
        return Cardinality.MANY
    return max(ours, theirs, key=_ORDER.index)
