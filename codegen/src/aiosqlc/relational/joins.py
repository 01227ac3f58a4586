"""Functions that traverse join trees."""

from __future__ import annotations

from collections.abc import Iterator

from aiosqlc.relational.tree import (
    Condition,
    From,
    Join,
    JoinItem,
    JoinKind,
    Leaf,
)


def sources_of(item: JoinItem) -> Iterator[int]:
    """Yield the numbers of the FROM items in a part of a join tree."""
    if isinstance(item, Leaf):
        yield item.source
    else:
        for inner in _items(item):
            yield from sources_of(inner)


def joins_of(item: JoinItem) -> Iterator[Join]:
    """Yield the joins in a part of a join tree, nested joins first."""
    for inner in _items(item):
        yield from joins_of(inner)
    if isinstance(item, Join):
        yield item


def conditions_of(item: JoinItem) -> Iterator[tuple[frozenset[int] | None, Condition]]:
    """Yield each condition with the FROM items that it restricts; None means all items.

    The ON condition of an outer join restricts only the rows of the join's optional side.
    """
    for inner in _items(item):
        yield from conditions_of(inner)
    if not isinstance(item, Leaf):
        side = _side(item)
        for condition in item.conditions:
            yield side, condition


def _side(item: From | Join) -> frozenset[int] | None:
    if isinstance(item, From) or item.kind is JoinKind.INNER:
        return None
    if item.kind is JoinKind.FULL:
        return frozenset()
    return frozenset(sources_of(optional_side(item)))


def optional_side(join: Join) -> JoinItem:
    """Return the operand of a LEFT or RIGHT join that may have no matching row."""
    return join.right if join.kind is JoinKind.LEFT else join.left


def _items(item: JoinItem) -> tuple[JoinItem, ...]:
    if isinstance(item, Join):
        return (item.left, item.right)
    return item.items if isinstance(item, From) else ()
