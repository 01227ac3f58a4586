"""Parse the bracketed parts of a statement: parentheses, and CASE to END."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from aiosqlc.layout.words import Atom

CLOSING = {"(": ")", "[": "]", "CASE": "END"}
# After these tokens, `end` is a column of MySQL and not the end of a CASE.
_WANTS_OPERAND = frozenset({"CASE", "WHEN", "THEN", "ELSE", "AND", "OR", "NOT", "(", ",", "."})


class Group(Struct, frozen=True):
    """A bracketed part of a statement: `(…)` or CASE … END, with the nodes inside."""

    opening: Atom
    body: tuple[Node, ...]
    closing: Atom


Node: TypeAlias = Atom | Group


def grouped(atoms: Sequence[Atom], deepest: int) -> tuple[Node, ...] | None:
    """Return a statement as a tree, or None if parentheses do not match or nest too deeply."""
    open_groups: list[tuple[Atom, list[Node]]] = []
    nodes: list[Node] = []
    for at, atom in enumerate(atoms):
        before = atoms[at - 1].word if at else ""
        wants = before in _WANTS_OPERAND or before in {"=", "<", ">", "+", "-", "*", "/"}
        if atom.word in CLOSING:
            open_groups.append((atom, nodes))
            nodes = []
        elif open_groups and atom.word == CLOSING[open_groups[-1][0].word]:
            if atom.word == "END" and wants:
                nodes.append(atom)
                continue
            opening, outer = open_groups.pop()
            closing = replace(atom, text="END") if atom.word == "END" else atom
            outer.append(Group(opening, tuple(nodes), closing))
            nodes = outer
        elif atom.word in {")", "]"}:
            return None
        else:
            nodes.append(atom)
        if len(open_groups) > deepest:
            return None
    return None if open_groups else tuple(nodes)


def first_of(nodes: Sequence[Node]) -> Atom:
    """Return the first token of the given nodes."""
    node = nodes[0]
    return node.opening if isinstance(node, Group) else node


def last_of(nodes: Sequence[Node]) -> Atom:
    """Return the last token of the given nodes."""
    node = nodes[-1]
    return node.closing if isinstance(node, Group) else node


def word_of(node: Node) -> str:
    """Return the keyword of a node, or an empty string for a bracketed group."""
    return "" if isinstance(node, Group) else node.word


def atoms_of(nodes: Sequence[Node]) -> list[Atom]:
    """Return the tokens of the given nodes in order."""
    found: list[Atom] = []
    for node in nodes:
        if isinstance(node, Group):
            found += [node.opening, *atoms_of(node.body), node.closing]
        else:
            found.append(node)
    return found
