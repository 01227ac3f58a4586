"""Put arguments in the order of the SQL text, because aiomysql's `%s` have no numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from graphlib import TopologicalSorter
from typing import NamedTuple

from msgspec.structs import replace

from aiosqlc.ir import Command, TypedQuery, Variant
from aiosqlc.parse.placeholders import find, for_driver
from aiosqlc.plan.choice import condition_of, with_pieces, without_blank_lines
from aiosqlc.plan.model import PyChoice, PyFunction, PyParam
from aiosqlc.plan.row_lists import beyond_the_first, with_one_place
from aiosqlc.source import Dialect


def positional(function: PyFunction, query: TypedQuery, params: dict[int, PyParam]) -> PyFunction:
    """Return the function with the driver's SQL text, and with one argument per placeholder."""
    everything = sorted(params)
    sql, numbers = for_driver(with_one_place(query.sql, everything, query))
    if function.command is Command.COPYFROM:
        return replace(function, sql=sql)  # the arguments are the columns of a row
    if function.choice is not None:
        return replace(function, sql=sql, choice=_choice(function.choice, query, params))
    by_number = dict(zip(everything, function.arguments, strict=True))
    return replace(function, sql=sql, arguments=tuple(by_number[number] for number in numbers))


def _choice(choice: PyChoice, query: TypedQuery, params: dict[int, PyParam]) -> PyChoice:
    """Make the selection of an SQL text pass one argument per placeholder of the selected text."""
    parsed = query.parsed
    left_out = beyond_the_first(query)
    known = _places(parsed.variants, left_out, query)
    variants = tuple(
        replace(
            variant,
            numbers=tuple(
                known.index(place) + 1 for place in _of_variant(variant, left_out, query)
            ),
        )
        for variant in parsed.variants
    )
    texts = tuple(
        (key, without_blank_lines(for_driver(_listed(variant, query))[0], Dialect.MYSQL))
        for (key, _), variant in zip(choice.texts, query.variants, strict=True)
    )
    arguments = tuple(
        (
            condition_of(number, parsed.dynamic, list(choice.selectors), variants),
            params[place.parameter].expression,
        )
        for number, place in enumerate(known, start=1)
    )
    return with_pieces(replace(choice, texts=texts, arguments=arguments))


class Place(NamedTuple):
    """A use of a parameter in an SQL text: its source offset, the parameter's number, a counter.

    If the compiler adds SQL to the text, all uses of a parameter there have the same source offset;
    the counter distinguishes them.
    """

    source: int
    parameter: int
    use: int


def _listed(variant: Variant, query: TypedQuery) -> str:
    return with_one_place(variant.sql, variant.numbers, query)


def _of_variant(variant: Variant, left_out: Collection[int], query: TypedQuery) -> list[Place]:
    """Return the uses of parameters in an SQL text, in the order of the text."""
    keys = {key.number for key in query.parsed.paging.keys} if query.parsed.paging else set[int]()
    sorts = [at for at, part in enumerate(query.parsed.dynamic) if part.kind == "sort"]
    # Each order compares the keys in its own order.
    order = sum((variant.key[at] + 1) * 1000**nth for nth, at in enumerate(sorts, 1))
    uses: Counter[tuple[int, int]] = Counter()
    found = []
    for place in find(variant.sql):
        number = variant.numbers[place.number - 1]
        if number not in left_out:
            at = (variant.source_map.to_source(place.start), number)
            uses[at] += 1
            found.append(Place(*at, uses[at] + (order if number in keys else 0)))
    return found


def _places(
    variants: tuple[Variant, ...], left_out: Collection[int], query: TypedQuery
) -> list[Place]:
    """Return all uses of parameters in a query's SQL texts, in an order that fits every text."""
    after: dict[Place, set[Place]] = {}
    for variant in variants:
        places = _of_variant(variant, left_out, query)
        for before, place in zip([None, *places], places, strict=False):
            after.setdefault(place, set()).update([] if before is None else [before])
    return list(TopologicalSorter(after).static_order())
