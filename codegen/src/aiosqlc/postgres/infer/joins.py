"""Functions that traverse conditions and join trees."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from aiosqlc.postgres.tree import Node

_OUTER_VAR = re.compile(r" :varlevelsup [1-9]")


def conjuncts(node: Node | None) -> Iterator[Node]:
    """Yield the conditions that AND combines into the given condition."""
    if node is None:
        return
    if node.kind == "BOOLEXPR" and node["boolop"] == "and":
        for arg in node["args"]:
            yield from conjuncts(arg)
    else:
        yield node


def variables(value: Any, depth: int) -> Iterator[Node]:
    """Yield the Vars in `value` that refer to the query `depth` levels outside of `value`."""
    if isinstance(value, Node):
        if value.kind == "VAR":
            if value["varlevelsup"] == depth:
                yield value
            return
        if not value.has("VAR") or (depth and not _OUTER_VAR.search(value.text)):
            return
        for _, inside in value.children():
            deeper = isinstance(inside, Node) and inside.kind == "QUERY"
            yield from variables(inside, depth + 1 if deeper else depth)
    elif isinstance(value, list):
        for item in value:
            yield from variables(item, depth)
