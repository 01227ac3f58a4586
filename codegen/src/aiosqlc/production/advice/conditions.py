"""Parse the conditions in a PostgreSQL plan, which the server always prints in the same style."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

_NAME = r'(?:"(?:[^"]|"")+"|[A-Za-z_][\w$]*)'
# A column, but not the schema and name of a type or of a function.
_COLUMN = re.compile(rf"(?<![:\w$.\"])(?P<alias>{_NAME})\.(?P<column>{_NAME})(?![\w$]*\()")
_TEXT_OR_COLUMN = re.compile(rf"'(?:[^']|'')*'|{_COLUMN.pattern}")
# Parts of an expression that no index can contain.
_NOT_INDEXABLE = re.compile(r"\$\d|\b(?:SubPlan|InitPlan|ANY|ALL|ROW)\b")
_SORTED = re.compile(r"(?P<what>.+?)(?P<down> DESC)?(?P<nulls> NULLS (?:FIRST|LAST))?", re.DOTALL)
_PIECE = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|[()]|[^'\"()]+")
_DEPTHS = {"(": 1, ")": -1}
_RANGES = frozenset({"<", ">", "<=", ">="})
# The operators whose two sides can be exchanged, and the operator that then has the same meaning.
_TURNED = {"=": "=", "<": ">", ">": "<", "<=": ">=", ">=": "<="}
_OPERATOR = re.compile(r" (?P<operator>=|<>|<=|>=|<|>|~~\*?|!~~\*?|@>|<@|&&|~\*?|IS|IS NOT) ")


class Comparison(Struct, frozen=True):
    """A comparison of a column, or of an expression on a table's columns, with another value.

    `column` is the first of the `columns` in the expression. `expression` is the key for an index:
    the compared column's name, or the compared expression. `kind` is `=`, `<` (for each of `<`,
    `<=`, `>` and `>=`) or another operator. `sign` is the operator if the column is on the left.
    `other` is the value, and `joined` are its table aliases.
    """

    alias: str
    column: str
    expression: str
    kind: str
    other: str
    joined: frozenset[str]
    sign: str = "="
    columns: tuple[str, ...] = ()

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


def alternatives(condition: str) -> Iterator[Comparison]:
    """Yield the comparisons in parts that OR joins, if all parts compare the same table.

    The server can read an index for each part, and combine the found rows.
    """
    for part in _conjuncts(condition):
        arms = [list(comparisons(arm)) for arm in _split_at(_bare(part), " OR ")]
        shared = set.intersection(*({one.alias for one in arm} for arm in arms))
        for arm in arms if len(arms) > 1 else ():
            yield from (one for one in arm if one.alias in shared)


def aliases(text: str) -> frozenset[str]:
    """Return the table aliases of the columns in the text of a condition."""
    return frozenset(found["alias"].strip('"') for found in _COLUMN.finditer(_without_texts(text)))


def sort_columns(key: str) -> list[tuple[str, str, bool]] | None:
    """Return the alias, the key of an index and the direction (descending) of each sort key.

    A key with NULLS FIRST or NULLS LAST contains its direction. Return None if an index cannot
    contain a key.
    """
    found = []
    for part in _split_at(key, ", "):
        match = _SORTED.fullmatch(part)
        side = _indexable(match["what"]) if match else None
        if match is None or side is None:
            return None
        alias, columns, expression = side
        what = expression if (expression,) == columns else f"({expression})"
        down, nulls = match["down"] or "", match["nulls"] or ""
        found.append((alias, f"{what}{down}{nulls}" if nulls else what, bool(down and not nulls)))
    return found


def _of_part(part: str) -> Iterator[Comparison]:
    operator = _split(part)
    if operator is None:
        text = part.removeprefix("NOT ").strip()
        if whole := _COLUMN.fullmatch(text):  # a boolean
            name = whole["column"]
            alias = whole["alias"].strip('"')
            yield Comparison(alias, name, name, "=", "true", frozenset(), columns=(name,))
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
        alias, columns, expression = found
        yield Comparison(
            alias, columns[0], expression, kind, other, joined, sign=turned, columns=columns
        )


def _indexable(side: str) -> tuple[str, tuple[str, ...], str] | None:
    """Return the alias, columns and expression of one side of a comparison.

    Return None if an index cannot contain the expression. The server refuses an index on a function
    whose result can change, so such an expression is not excluded here.
    """
    side = _bare(side)
    found = [one for one in _TEXT_OR_COLUMN.finditer(side) if one["alias"]]
    names = {one["alias"] for one in found}
    if len(names) != 1 or _NOT_INDEXABLE.search(_without_texts(side)):
        return None
    (alias,) = names
    columns = tuple(dict.fromkeys(one["column"] for one in found))
    expression = _TEXT_OR_COLUMN.sub(lambda one: one["column"] or one[0], side)
    return alias.strip('"'), columns, expression


def _conjuncts(text: str) -> Iterator[str]:
    """Yield the parts of a condition that AND joins, without the parentheses around them."""
    text = _bare(text)
    parts = _split_at(text, " AND ")
    if len(parts) == 1:
        yield text
        return
    for part in parts:
        yield from _conjuncts(part)


def _split_at(text: str, word: str) -> list[str]:
    """Split a text at a separator. A separator inside parentheses or quotes does not count."""
    parts, depth, start = [], 0, 0
    for piece in _PIECE.finditer(text):
        token = piece[0]
        if token in _DEPTHS:
            depth += _DEPTHS[token]
        elif depth == 0 and token[0] not in "'\"":
            at = token.find(word)
            while at >= 0:
                parts.append(text[start : piece.start() + at])
                start = piece.start() + at + len(word)
                at = token.find(word, at + len(word))
    return [*parts, text[start:]]


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
