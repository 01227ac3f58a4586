"""Infer the types of each possible SQL text of a dynamic query, and merge the results."""

from __future__ import annotations

from msgspec.structs import replace

from aiosqlc.analysis.json_shapes import weakest_shape
from aiosqlc.ir import Cardinality, Column, ParsedQuery, TypedQuery, Variant
from aiosqlc.relational.batch import in_both
from aiosqlc.relational.embeds import weakest
from aiosqlc.relational.nest import merged

_ORDER = (Cardinality.ONE, Cardinality.ZERO_OR_ONE, Cardinality.SOME, Cardinality.MANY)


def as_query(query: ParsedQuery, variant: Variant) -> ParsedQuery:
    """Return a variant of a query as a query, with `$n` numbers that start at 1."""
    by_number = {param.number: param for param in query.params}
    params = tuple(
        replace(by_number[number], number=position)
        for position, number in enumerate(variant.numbers, start=1)
    )
    return replace(
        query,
        sql=variant.sql,
        embeds=query.embeds_in(variant),
        source_map=variant.source_map,
        params=params,
        variants=(),
        dynamic=(),
    )


def merge(whole: TypedQuery, one: TypedQuery, variant: Variant) -> TypedQuery:
    """Merge a variant into the query: a column is not null only if it is not null in every text."""
    columns = tuple(
        _weaker(ours, theirs) for ours, theirs in zip(whole.columns, one.columns, strict=False)
    )
    embeds = tuple(
        weakest((ours, theirs), columns)
        # `unlike` has already compared the embeds.
        for ours, theirs in zip(whole.embeds, one.embeds, strict=True)
    )
    text = replace(variant, sql=one.sql)
    return replace(
        whole,
        columns=columns,
        embeds=embeds,
        nesting=merged(whole.nesting, one.nesting),
        cardinality=_weaker_count(whole.cardinality, one.cardinality),
        variants=(*whole.variants, text),
        lookup=in_both(whole.lookup, one.lookup, variant.numbers),
        unproved_reading=whole.unproved_reading or one.unproved_reading,
        leaks=tuple(dict.fromkeys((*whole.leaks, *one.leaks))),
        advice=tuple(advice for advice in whole.advice if advice in one.advice),
    )


def _weaker(ours: Column, theirs: Column) -> Column:
    known = ours if not ours.not_null or theirs.not_null else replace(ours, not_null=False)
    same = known.shape == theirs.shape
    return known if same else replace(known, shape=weakest_shape(known.shape, theirs.shape))


def _weaker_count(ours: Cardinality, theirs: Cardinality) -> Cardinality:
    if {ours, theirs} == {Cardinality.ZERO_OR_ONE, Cardinality.SOME}:
        return Cardinality.MANY
    return max(ours, theirs, key=_ORDER.index)
