"""Parse the conditions in a PostgreSQL plan, which the server always prints in the same style."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

_NAME = r'(?:"(?:[^"]|"")+"|[A-Za-z_][\w$]*)'
_COLUMN = re.compile(rf"(?P<alias>{_NAME})\.(?P<column>{_NAME})")
_CAST = re.compile(rf"\((?P<of>{_COLUMN.pattern})\)::(?P<type>[\w .()\[\]]+)")
_KEY = r" (?:->>?|#>>?) (?:'(?:[^']|'')*'(?:::[\w\[\]]+)?|\d+)"
_JSON = re.compile(rf"\(*{_COLUMN.pattern}(?:{_KEY}\)*(?:::[\w ]+\)*)?)+")
_CALL = re.compile(r"(?P<function>[a-z_]\w*)\((?P<inside>.*)\)(?:::[\w ]+)?", re.DOTALL)
_PIECE = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|[()]|[^'\"()]+")
_DEPTHS = {"(": 1, ")": -1}
_RANGES = frozenset({"<", ">", "<=", ">="})
# The operators whose two sides can be exchanged, and the operator that then has the same meaning.
_TURNED = {"=": "=", "<": ">", ">": "<", "<=": ">=", ">=": "<="}
_OPERATOR = re.compile(r" (?P<operator>=|<>|<=|>=|<|>|~~\*?|!~~\*?|@>|<@|&&|~\*?|IS|IS NOT) ")


class Comparison(Struct, frozen=True):
    """A comparison of a column, or of an expression on one column, with another value.

    `expression` is the key for an index: the compared column's name, or the compared expression.
    `kind` is `=`, `<` (for each of `<`, `<=`, `>` and `>=`) or another operator. `sign` is the
    operator if the column is on the left. `other` is the value, and `joined` are its table aliases.
    """

    alias: str
    column: str
    expression: str
    kind: str
    other: str
    joined: frozenset[str]
    sign: str = "="

    @property
    def is_plain(self) -> bool:
        """Return whether the column itself is compared, and not an expression on it."""
        return self.expression == self.column


def comparisons(condition: str) -> Iterator[Comparison]:
    """Yield the comparisons that AND joins in a condition.

    A comparison of two columns is yielded twice, once for each column.
    """
    for part in _conjuncts(condition):
        yield from _of_part(part)


def aliases(text: str) -> frozenset[str]:
    """Return the table aliases of the columns in the text of a condition."""
    return frozenset(found["alias"].strip('"') for found in _COLUMN.finditer(_without_texts(text)))


def sort_columns(key: str) -> list[tuple[str, str, bool]] | None:
    """Return the alias, column and direction (descending) of each sort key.

    Return None if a key is not a column, or if it has NULLS FIRST or NULLS LAST.
    """
    found = []
    for part in key.split(", "):
        match = re.fullmatch(rf"{_COLUMN.pattern}(?P<down> DESC)?", part)
        if match is None:
            return None
        found.append((match["alias"].strip('"'), match["column"], match["down"] is not None))
    return found


def _of_part(part: str) -> Iterator[Comparison]:
    operator = _split(part)
    if operator is None:
        text = part.removeprefix("NOT ").strip()
        if whole := _COLUMN.fullmatch(text):  # a boolean
            name = whole["column"]
            yield Comparison(whole["alias"].strip('"'), name, name, "=", "true", frozenset())
        return
    left, sign, right = operator
    for side, other, turned in ((left, right, sign), (right, left, _TURNED.get(sign, ""))):
        found = _indexable(side)
        joined = aliases(other)
        if found is None or turned == "" or found[0] in joined:
            continue
        kind = turned
        if turned == "IS":
            if other != "NULL":
                continue
            kind = "="
        kind = "<" if kind in _RANGES else kind
        yield Comparison(*found, kind=kind, other=other, joined=joined, sign=turned)


def _indexable(side: str) -> tuple[str, str, str] | None:
    """Return the alias, column and expression of one side of a comparison.

    Return None if an index cannot contain the expression.
    """
    side = _bare(side)
    if whole := _COLUMN.fullmatch(side):
        return whole["alias"].strip('"'), whole["column"], whole["column"]
    names = {(one["alias"], one["column"]) for one in _COLUMN.finditer(_without_texts(side))}
    if len(names) != 1 or "$" in side or "SubPlan" in side or "InitPlan" in side:
        return None
    ((alias, column),) = names
    if any(pattern.fullmatch(side) for pattern in (_CAST, _CALL, _JSON)):
        return alias.strip('"'), column, side.replace(f"{alias}.", "")
    return None


def _conjuncts(text: str) -> Iterator[str]:
    """Yield the parts of a condition that AND joins, without the parentheses around them."""
    text = _bare(text)
    parts, depth, start, at = [], 0, 0, 0
    for piece in _PIECE.finditer(text):
        token = piece[0]
        if token in _DEPTHS:
            depth += _DEPTHS[token]
        elif depth == 0 and token[0] not in "'\"":
            at = token.find(" AND ")
            while at >= 0:
                parts.append(text[start : piece.start() + at])
                start = piece.start() + at + 5
                at = token.find(" AND ", at + 5)
    if not parts:
        yield text
        return
    for part in (*parts, text[start:]):
        yield from _conjuncts(part)


def _split(part: str) -> tuple[str, str, str] | None:
    """Split a comparison at its operator. An operator inside parentheses does not count."""
    depth = 0
    for piece in _PIECE.finditer(part):
        token = piece[0]
        if token in _DEPTHS:
            depth += _DEPTHS[token]
        elif depth == 0 and token[0] not in "'\"":
            if " OR " in token:
                return None
            if found := _OPERATOR.search(token):
                at = piece.start()
                return part[: at + found.start()], found["operator"], part[at + found.end() :]
    return None


def _bare(text: str) -> str:
    """Return a text without the parentheses that enclose all of it."""
    text = text.strip()
    while text.startswith("(") and text.endswith(")"):
        depth = 0
        for piece in _PIECE.finditer(text):
            depth += _DEPTHS.get(piece[0], 0)
            if depth == 0:
                break
        if piece.end() != len(text):
            break
        text = text[1:-1].strip()
    return text


def _without_texts(text: str) -> str:
    return re.sub(r"'(?:[^']|'')*'", "''", text)
