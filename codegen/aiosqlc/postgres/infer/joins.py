"""Small questions about conditions and join trees."""

from __future__ import annotations

from collections.abc import Iterator

from aiosqlc.postgres.tree import Node


def conjuncts(node: Node | None) -> Iterator[Node]:
    """Yield the parts of a condition that must all hold."""
    if node is None:
        return
    if node.kind == "BOOLEXPR" and node["boolop"] == "and":
        for arg in node["args"]:
            yield from conjuncts(arg)
    else:
        yield node
