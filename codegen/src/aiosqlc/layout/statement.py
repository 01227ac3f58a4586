"""Format a statement: only spaces, line breaks and the case of keywords change.

A statement that fits on a line stays on one line. Otherwise, each clause, each list item and each
part of a condition gets a line of its own. The content of brackets and of CASE is indented. A
comment stays after the same word, or above the same line.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from itertools import pairwise

from msgspec import Struct
from msgspec.structs import replace

from aiosqlc.layout.brackets import Group, Node, atoms_of, first_of, grouped, last_of, word_of
from aiosqlc.layout.clauses import (
    Nodes,
    cases_of,
    clauses_of,
    conditions_of,
    head_of,
    is_query,
    items_of,
    operands_of,
    window_of,
    words_of,
)
from aiosqlc.layout.words import Atom, cased, folded, names_something, spaced
from aiosqlc.parse.scanner import MARKS, Kind, Token, scan
from aiosqlc.source import Dialect

WIDTH = 100
_INDENT = 4
# Nested brackets are traversed once more per level, so the depth is limited.
_DEEPEST = 50


class LayoutStyle(StrEnum):
    """The layout style: `house` keeps short queries on one line, `sqlc` splits every clause."""

    HOUSE = "house"
    SQLC = "sqlc"


class _CommentInTheWayError(Exception):
    """Raised if a comment is at a position at which the line cannot be broken."""


def lay_out(
    sql: str,
    dialect: Dialect,
    style: LayoutStyle,
    *,
    width: int = WIDTH,
    keep_lines: bool = False,
) -> str:
    """Format a statement; only whitespace and the case of keywords change.

    The lines are unchanged if the statement contains a comment or a string with several lines, if a
    comment would have to move, or if requested.
    """
    tokens = list(scan(sql, dialect))
    code = [token for token in tokens if token.kind is not Kind.COMMENT]
    if not code or any(t.kind is Kind.UNTERMINATED or t.kind in MARKS for t in tokens):
        return sql
    # Two adjacent strings are one text only if a line break separates them.
    strings = any(a.kind is b.kind is Kind.STRING for a, b in pairwise(code))
    if not (keep_lines or strings or any("\n" in token.text for token in tokens)):
        atoms = _atoms(sql, tokens, code, dialect)
        nodes = grouped(atoms, _DEEPEST) if atoms else None
        if nodes and is_query(nodes):
            try:
                return "\n".join(_Layout(style).lines(nodes, width))
            except _CommentInTheWayError:
                pass
    return _line_by_line(sql, tokens, code, dialect)


def same_tokens(before: str, after: str, dialect: Dialect) -> bool:
    """Return whether two SQL texts differ only in spaces and in the case of keywords."""
    return _compared(before, dialect) == _compared(after, dialect)


def _compared(sql: str, dialect: Dialect) -> list[tuple[Kind, str]]:
    return [
        (token.kind, token.text.rstrip() if token.kind is Kind.COMMENT else folded(token))
        for token in scan(sql, dialect)
    ]


def _line_by_line(
    sql: str, tokens: Sequence[Token], code: Sequence[Token], dialect: Dialect
) -> str:
    places = {token.start: at for at, token in enumerate(code)}
    pieces = []
    for before, token in zip([None, *tokens], tokens, strict=False):
        at = places.get(token.start)
        if before:
            beside = before.kind is not Kind.COMMENT and at is not None
            pieces.append(_gap(sql, before, token, spaced(code, at) if beside and at else None))
        pieces.append(token.text.rstrip() if at is None else cased(code, at, dialect))
    return "".join(pieces)


def _gap(sql: str, before: Token, token: Token, blank: bool | None) -> str:
    written = sql[before.end : token.start]
    if "\n" in written:
        lines = written.replace("\r", "").split("\n")
        return "\n" * min(len(lines) - 1, 2) + lines[-1].expandtabs(4)
    if blank is None or before.kind is token.kind is Kind.STRING:
        return written.expandtabs(4)
    return " " if blank else ""


def _atoms(
    sql: str, tokens: Sequence[Token], code: Sequence[Token], dialect: Dialect
) -> list[Atom]:
    """Return the tokens of a statement, each with its comments.

    Return no tokens if the statement ends with a comment.
    """
    found: list[Atom] = []
    above: list[str] = []
    at = 0
    for number, token in enumerate(tokens):
        begins = number == 0 or "\n" in sql[tokens[number - 1].end : token.start]
        ends = number + 1 < len(tokens) and "\n" in sql[token.end : tokens[number + 1].start]
        written = number > 0 and tokens[number - 1].end < token.start
        if token.kind is not Kind.COMMENT:
            word = "" if token.kind is Kind.QUOTED else token.text.upper()
            if token.kind is Kind.NAME and names_something(code, at):
                word = ""
            commented = number > 0 and tokens[number - 1].kind is Kind.COMMENT
            blank = (written or begins) if commented else at > 0 and spaced(code, at)
            found.append(Atom(cased(code, at, dialect), word, blank, tuple(above)))
            above = []
            at += 1
        elif begins and ends:
            above.append(token.text.rstrip())
        elif ends and found and not above:
            behind = f"{found[-1].behind} {token.text.rstrip()}".strip()
            found[-1] = replace(found[-1], behind=behind)
        elif ends or above:
            return []
        else:
            found.append(Atom(token.text, "", written))
    return [] if above else found


def _line(nodes: Nodes, width: float = float("inf")) -> str | None:
    """Return nodes on one line, or None if the line is too long or would contain a comment."""
    atoms = atoms_of(nodes)
    if any(atom.above for atom in atoms[1:]) or any(atom.behind for atom in atoms[:-1]):
        return None
    text = "".join(f" {atom.text}" if atom.spaced else atom.text for atom in atoms).lstrip(" ")
    if len(text) > width:
        return None
    return f"{text} {atoms[-1].behind}" if atoms[-1].behind else text


def _must(nodes: Nodes) -> str:
    """Return nodes on one line, even if the line is longer than the maximum."""
    line = _line(nodes)
    if line is None:
        raise _CommentInTheWayError
    return line


def _bare(nodes: Nodes) -> Nodes:
    """Return nodes without the comments that are on lines above the nodes."""
    first, *rest = nodes
    if isinstance(first, Group):
        return [replace(first, opening=replace(first.opening, above=())), *rest]
    return [replace(first, above=()), *rest]


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"{' ' * _INDENT}{line}" for line in lines]


class _Layout(Struct, frozen=True):
    """Formats the nodes of a statement in a style, within a maximum line width."""

    style: LayoutStyle

    def lines(self, nodes: Nodes, width: int, *, inside: bool = False) -> list[str]:
        """Return the lines for the given nodes.

        `inside` means that parentheses enclose the nodes.
        """
        above = list(first_of(nodes).above)
        nodes = _bare(nodes) if above else nodes
        clauses = clauses_of(nodes) if is_query(nodes) else [nodes]
        if self.style is LayoutStyle.HOUSE or len(clauses) == 1:
            line = _line(nodes, width)
            if line is not None:
                return [*above, line]
        if len(clauses) > 1:
            return [*above, *self._each(clauses, width)]
        return [*above, *self._broken(nodes, width, inside=inside)]

    def _each(self, parts: Iterable[Nodes], width: int, *, inside: bool = False) -> list[str]:
        return [line for part in parts for line in self.lines(part, width, inside=inside)]

    def _within(self, parts: Iterable[Nodes], width: int) -> list[str]:
        return _indented(self._each(parts, width - _INDENT))

    def _broken(self, nodes: Nodes, width: int, *, inside: bool) -> list[str]:
        """Split nodes at the operator of lowest precedence if they do not fit on one line."""
        head = head_of(nodes)
        if inside and len(window := window_of(nodes)) > 1:
            return self._each(window, width, inside=True)
        if inside and not head:
            for parts in (items_of(nodes), conditions_of(nodes), self._operands(nodes, width)):
                if len(parts) > 1:
                    return self._each(parts, width)
        items = items_of(nodes[head:])
        if len(items) > 1 and word_of(nodes[0]) == "WITH":
            return self._each([[*nodes[:head], *items[0]], *items[1:]], width)
        commented = head and (last_of(nodes[:head]).behind or first_of(nodes[head:]).above)
        if head and (len(items) > 1 or (commented and len(conditions_of(nodes)) == 1)):
            return [_must(nodes[:head]), *self._within(items, width)]
        if len(items) > 1:
            return [*self.lines(items[0], width), *self._within(items[1:], width)]
        return self._conditions(nodes, head, width) or self._opened(nodes, width)

    def _conditions(self, nodes: Nodes, head: int, width: int) -> list[str]:
        """Split a join or a condition into lines, or return an empty list if that is impossible."""
        first, *rest = words_of(nodes, "ON" if word_of(nodes[0]) != "WHEN" else "THEN")
        if word_of(nodes[0]) == "WHEN" or not rest:
            parts = [*conditions_of(first), *rest]
        else:
            if _line(first, width) is None:
                return []  # a parenthesized query, which is split at its own place
            parts = [first, *(part for one in rest for part in conditions_of(one))]
        if len(parts) < 2:
            return []
        if head and _line(parts[0], width) is None:
            return [_must(nodes[:head]), *self._within([parts[0][head:], *parts[1:]], width)]
        return [*self.lines(parts[0], width), *self._within(parts[1:], width)]

    def _operands(self, nodes: Nodes, width: int) -> list[Nodes]:
        """Split nodes before the operators of lowest precedence, if each part fits on a line."""
        parts = operands_of(nodes)
        fits = [_line(part, width - _INDENT) for part in parts]
        return [nodes] if None in fits else parts

    def _opened(self, nodes: Nodes, width: int) -> list[str]:
        """Split nodes at operators, or else inside the longest parentheses, or else not at all."""
        parts = self._operands(nodes, width)
        if len(parts) > 1:
            return [*self.lines(parts[0], width), *self._within(parts[1:], width)]
        groups = [
            (len(atoms_of([node])), at, node)
            for at, node in enumerate(nodes)
            if isinstance(node, Group) and node.body
        ]
        if not groups:
            return [_must(nodes)]
        _, at, group = max(groups, key=lambda found: (found[0], -found[1]))
        return self._around(nodes, at, group, width)

    def _around(self, nodes: Nodes, at: int, group: Group, width: int) -> list[str]:
        """Return the lines of nodes that are broken in `group`, whose content is indented."""
        before: list[Node] = [*nodes[:at], group.opening]
        body: list[Nodes] = [group.body]
        if group.opening.word == "CASE":
            body = cases_of(group.body)
            if word_of(group.body[0]) != "WHEN":
                before += body.pop(0)
        inner = [line for part in body for line in self.lines(part, width - _INDENT, inside=True)]
        inner += group.closing.above
        after = [replace(group.closing, above=()), *nodes[at + 1 :]]
        return [_must(before), *_indented(inner), *self.lines(after, width)]
