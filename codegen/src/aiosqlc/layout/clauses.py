"""Find the positions to split a statement at: clauses, commas, conditions and operators."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TypeAlias

from aiosqlc.layout.brackets import Group, Node, first_of, word_of
from aiosqlc.layout.words import BINARY, CALLED

Nodes: TypeAlias = Sequence[Node]

STATEMENTS = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "VALUES", "REPLACE"})
_CLAUSES = frozenset(
    {
        "CROSS", "EXCEPT", "FETCH", "FOR", "FROM", "FULL", "GROUP", "HAVING", "INNER", "INTERSECT",
        "JOIN", "LEFT", "LIMIT", "NATURAL", "OFFSET", "ON", "ORDER", "RETURNING", "RIGHT", "SELECT",
        "SET", "UNION", "VALUES", "WHERE", "WINDOW", "INSERT", "UPDATE", "DELETE", "STRAIGHT_JOIN",
    }
)  # fmt: skip
# Words that continue such a word, which then starts no clause: `LEFT JOIN`, `FOR UPDATE`.
_TOGETHER = {
    "JOIN": {"LEFT", "RIGHT", "FULL", "INNER", "CROSS", "NATURAL", "OUTER"},
    "FROM": {"DISTINCT", "DELETE", "ROWS"},
    "UPDATE": {"FOR", "DO", "KEY", "ON"},
    "LEFT": {"NATURAL"},
    "RIGHT": {"NATURAL"},
    "FULL": {"NATURAL"},
    "INNER": {"NATURAL"},
    "ON": {"DISTINCT"},
    "GROUP": {"WITHIN"},
    "SET": {"UPDATE"},
    "DELETE": {"THEN", "ON", "DO"},
    "INSERT": {"THEN"},
}
_SETS = frozenset({"UNION", "INTERSECT", "EXCEPT"})
# A star may also end a list: `SELECT * FROM`.
_OPERATORS = (BINARY | {",", "="}) - {"*"}
_WINDOW = frozenset({"ORDER", "PARTITION", "ROWS", "RANGE", "GROUPS", "SEPARATOR"})
_HEADS = frozenset({"ALL", "BY", "DISTINCT", "KEY", "SET", "UPDATE"})


def is_query(nodes: Nodes) -> bool:
    """Return whether the given nodes are a statement, or several statements joined by UNION."""
    if not nodes:
        return False
    node = nodes[0]
    if isinstance(node, Group):
        joins = len(nodes) > 1 and word_of(nodes[1]) in _SETS
        return joins and is_query(node.body)
    calls = node.word in CALLED and len(nodes) > 1 and _opens_bracket(nodes[1])
    return node.word in STATEMENTS and not calls


def _opens_bracket(node: Node) -> bool:
    return isinstance(node, Group) and node.opening.word == "("


def _cut(nodes: Nodes, starts: Callable[[int], bool]) -> list[Nodes]:
    """Split a list of nodes before each node for whose index `starts` returns True."""
    places = [0, *(at for at in range(1, len(nodes)) if starts(at)), len(nodes)]
    return [nodes[begin:end] for begin, end in pairwise(places)]


def clauses_of(nodes: Nodes) -> list[Nodes]:
    """Split a statement before each clause; `JOIN t ON …` is one clause."""

    def starts(at: int) -> bool:
        word, before = word_of(nodes[at]), word_of(nodes[at - 1])
        if isinstance(nodes[at], Group):
            sets = nodes[max(at - 2, 0) : at] if before in {"ALL", "DISTINCT"} else [nodes[at - 1]]
            return not _SETS.isdisjoint(map(word_of, sets))
        if word not in _CLAUSES or before in _TOGETHER.get(word, ()):
            return False
        called = at + 1 < len(nodes) and _opens_bracket(nodes[at + 1]) and word in CALLED
        if called or before in _OPERATORS or not first_of(nodes[at:]).spaced:
            return False
        if word == "ON":
            return at + 1 < len(nodes) and word_of(nodes[at + 1]) in {"CONFLICT", "DUPLICATE"}
        return True

    return _cut(nodes, starts)


def window_of(nodes: Nodes) -> list[Nodes]:
    """Split the contents of a window before PARTITION BY, ORDER BY, ROWS and so on."""

    def starts(at: int) -> bool:
        by = at + 1 < len(nodes) and word_of(nodes[at + 1]) in {"BY", "BETWEEN", "UNBOUNDED"}
        return word_of(nodes[at]) in _WINDOW and (by or word_of(nodes[at]) == "SEPARATOR")

    return _cut(nodes, starts)


def cases_of(nodes: Nodes) -> list[Nodes]:
    """Split the contents of CASE before each WHEN and before ELSE."""
    return _cut(nodes, lambda at: word_of(nodes[at]) in {"WHEN", "ELSE"})


def items_of(nodes: Nodes) -> list[Nodes]:
    """Split a list of nodes after each comma."""
    return _cut(nodes, lambda at: word_of(nodes[at - 1]) == ",")


def conditions_of(nodes: Nodes) -> list[Nodes]:
    """Split a condition before each OR; without OR, before each AND except that of BETWEEN."""
    for wanted in ("OR", "AND"):
        between = 0
        places: set[int] = set()
        for at, node in enumerate(nodes):
            word = word_of(node)
            between += word == "BETWEEN"
            if word == "AND" and between:
                between -= 1
            elif word == wanted and at and first_of(nodes[at:]).spaced:
                places.add(at)
        if places:
            return _cut(nodes, places.__contains__)
    return [nodes]


def words_of(nodes: Nodes, *words: str) -> list[Nodes]:
    """Split a list of nodes before each of the given words."""
    return _cut(nodes, lambda at: word_of(nodes[at]) in words)


def operands_of(nodes: Nodes) -> list[Nodes]:
    """Split a list of nodes before each operator of the lowest precedence."""

    def rows(at: int) -> bool:
        return all(isinstance(node, Group) for node in (nodes[at - 1], nodes[at + 1]))

    operators = [
        at
        for at in range(1, len(nodes) - 1)
        if (word_of(nodes[at]) in BINARY or (word_of(nodes[at]) == "=" and rows(at)))
        and first_of(nodes[at:]).spaced
        and first_of(nodes[at + 1 :]).spaced
    ]
    for binding in ({"="}, {"+", "-", "||"}, BINARY):
        places = [at for at in operators if word_of(nodes[at]) in binding]
        if places:
            return _cut(nodes, places.__contains__)
    return [nodes]


def head_of(nodes: Nodes) -> int:
    """Return the number of nodes that begin a clause, such as `SELECT DISTINCT` or `GROUP BY`."""
    first = word_of(nodes[0])
    if first not in _CLAUSES | {"WITH", "PARTITION"}:
        return 0
    if first == "ON":  # CONFLICT (…) DO UPDATE SET
        places = [at for at, node in enumerate(nodes) if word_of(node) in {"SET", "UPDATE"}]
        return places[-1] + 1 if places and places[-1] + 1 < len(nodes) else 0
    if first == "UPDATE" or (first in {"INSERT", "DELETE", "FOR", "WINDOW"}):
        return 0
    at = 1
    while at < len(nodes) - 1 and word_of(nodes[at]) in {*_HEADS, "RECURSIVE", "ON"}:
        at += 1 + (word_of(nodes[at]) == "ON")
    return at
