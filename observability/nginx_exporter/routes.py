"""Map the path of a request to its route, so that labels stay few."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from observability.nginx_exporter.memo import Memo

OTHER: Final = "other"
"""The label for paths, methods and statuses that are not known."""

_MOST_STATES: Final = 100_000


class RouteError(ValueError):
    """Route patterns that would take too long to distinguish; the message is one sentence."""


class _Node(msgspec.Struct, eq=False):
    """A path segment of the route patterns, and the segments that may follow."""

    children: dict[str, _Node] = {}
    parameter: _Node | None = None
    route: str | None = None
    rest: str | None = None


_Ways = tuple[_Node | str, ...]
"""The routes that can still match after the path segments read so far, in order of precedence.

A string in the tuple is a route with a final `*`.
"""


class _State(dict[str, "_State"]):
    """A state of the matcher: the next state by path segment, and the route if none follows."""

    __slots__ = ("other", "route")

    other: _State

    def __init__(self, route: str) -> None:
        self.route = route


class Router:
    """Find the pattern of a path: `/users/{id}`, `/docs/*`.

    A literal segment takes precedence over a parameter.
    """

    def __init__(self, patterns: Iterable[str] = ()) -> None:
        """Create the routes. Each pattern is a label; a final `/*` matches all paths below it too.

        Raises RouteError for an invalid pattern.
        """
        root, self._depth = _Node(), 0
        for pattern in patterns:
            self._depth = max(self._depth, _add(root, pattern))
        self._start = _states(root)
        # Paths that end with an id are endless, and what comes before the id is mostly not.
        self._above = Memo(self._walk)

    def route(self, target: str) -> str:
        """Return the route of a request target, or `other`.

        The query, the host and a final slash are ignored.
        """
        path = target[: target.index("?")] if "?" in target else target
        if path[:1] != "/" or "#" in path:
            path = _path(path)
            if not path:
                return OTHER
        above, _, word = path.rpartition("/")
        state = self._above[above]
        return state.get(word, state.other).route

    def _walk(self, path: str) -> _State:
        state = self._start
        # One word more than the longest pattern shows that a path is longer than all patterns.
        for word in path.split("/", self._depth + 1):
            state = state.get(word, state.other)
        return state


def _path(target: str) -> str:
    """Return the path of a request target, or an empty text if the target has no path."""
    path = target.partition("#")[0]
    if "://" in path[:8]:
        path = "/" + path.partition("://")[2].partition("/")[2]
    return path if path.startswith("/") else ""


def _add(root: _Node, pattern: str) -> int:
    """Add a route pattern to the tree; return the number of its segments."""
    node = root
    words = pattern.removesuffix("/").split("/")[1:]
    everything = words[-1:] == ["*"]
    for word in words[:-1] if everything else words:
        if "{" in word:
            node.parameter = node.parameter or _Node()
            node = node.parameter
        else:
            node = node.children.setdefault(word, _Node())
    # The first of two equal patterns keeps its name: the order given is the order of trust.
    if everything:
        node.rest = node.rest or pattern
    else:
        node.route = node.route or pattern
    return len(words)


def _states(root: _Node) -> _State:
    """Return a state machine for all routes, which matches a path without backtracking."""
    made: dict[tuple[_Ways, str | None], _State] = {}
    unfinished: list[tuple[_Ways, _State]] = []

    def state(ways: _Ways, before_slash: str | None = None) -> _State:
        if (ways, before_slash) not in made:
            if len(made) >= _MOST_STATES:
                raise RouteError("The routes overlap in too many ways: use fewer parameters.")
            fresh = _State(_route(ways) if before_slash is None else before_slash)
            made[ways, before_slash] = fresh
            unfinished.append((ways, fresh))
        return made[ways, before_slash]

    start = _State(OTHER)
    start.other = state(())
    start[""] = state((root,))
    while unfinished:
        ways, here = unfinished.pop()
        here.other = state(tuple(_after(ways, None)))
        # After a final slash there is an empty word: a path that ends there ended before it.
        here[""] = state(tuple(_after(ways, "")), _route(ways))
        for word in {word for way in ways if isinstance(way, _Node) for word in way.children}:
            here[word] = state(tuple(_after(ways, word)))
    return start


def _after(ways: _Ways, word: str | None) -> Iterator[_Node | str]:
    """Yield the candidates in `ways` that remain after one more path segment.

    If `word` is None, no pattern names the segment.
    """
    for way in ways:
        if isinstance(way, str):
            yield way
            return
        if word in way.children:
            yield way.children[word]
        if way.parameter is not None and word != "":
            yield way.parameter
        if way.rest is not None:
            yield way.rest
            return


def _route(ways: _Ways) -> str:
    """Return the first of the routes that end at this path segment, or `other`."""
    routes = (way if isinstance(way, str) else way.route or way.rest for way in ways)
    return next(filter(None, routes), OTHER)
