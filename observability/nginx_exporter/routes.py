"""Maps a request's path to the route it belongs to, so that labels stay few."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

OTHER: Final = "other"
"""The label of everything that is not known: paths, methods and statuses."""


class _Node(msgspec.Struct):
    children: dict[str, _Node] = {}
    parameter: _Node | None = None
    route: str | None = None
    rest: str | None = None


class Router:
    """Finds the pattern a path matches: `/users/{id}`, `/docs/*`; words win over parameters."""

    def __init__(self, patterns: Iterable[str] = ()) -> None:
        """Each pattern is also its label; a final `*` stands for everything below, and itself."""
        self._root = _Node()
        for pattern in patterns:
            self._add(pattern)

    def _add(self, pattern: str) -> None:
        node = self._root
        *words, last = _segments(pattern)
        for word in words if last == "*" else [*words, last]:
            if "{" in word:
                node.parameter = node.parameter or _Node()
                node = node.parameter
            else:
                node = node.children.setdefault(word, _Node())
        # The first of two equal shapes keeps its name: the order given is the order of trust.
        if last == "*":
            node.rest = node.rest or pattern
        else:
            node.route = node.route or pattern

    def route(self, target: str) -> str:
        """The route of a request target, `other` if none; query, host and final slash aside."""
        path = target.partition("?")[0].partition("#")[0]
        if "://" in path[:8]:
            path = "/" + path.partition("://")[2].partition("/")[2]
        if not path.startswith("/"):
            return OTHER
        return _find(self._root, _segments(path), 0) or OTHER


def _segments(path: str) -> list[str]:
    stripped = path[1:-1] if len(path) > 1 and path.endswith("/") else path[1:]
    return stripped.split("/")


def _find(node: _Node, segments: list[str], depth: int) -> str | None:
    if depth == len(segments):
        return node.route or node.rest
    word = segments[depth]
    below = node.children.get(word)
    found = _find(below, segments, depth + 1) if below is not None else None
    if found is None and node.parameter is not None and word:
        found = _find(node.parameter, segments, depth + 1)
    return found or node.rest
