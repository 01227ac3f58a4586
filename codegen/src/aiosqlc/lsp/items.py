"""Match the items of a select list or RETURNING list with the result columns of the items."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from aiosqlc.ir import Column, TypedQuery
from aiosqlc.parse.macros import ROWS
from aiosqlc.parse.scanner import Token
from aiosqlc.source import Span

_ENDS = frozenset(
    {"FROM", "WHERE", "GROUP", "ORDER", "LIMIT", "HAVING", "UNION", "INTERSECT", "EXCEPT"}
    | {"WINDOW", "FETCH", "OFFSET", "FOR", "INTO"}
)


class Item(Struct, frozen=True):
    """An item of a select list, and the result columns that the item produces."""

    span: Span
    columns: tuple[Column, ...]


def items(tokens: Sequence[Token], query: TypedQuery) -> list[Item]:
    """Return the select-list items, or [] if the text does not show which columns an item has."""
    pieces = _pieces(tokens)
    embedded = iter([embed.count for embed in query.embeds])
    sizes: list[int | None] = []
    for piece in pieces:
        words = [token.text.lower() for token in piece]
        if words[:3] in [["sqlc", ".", macro] for macro in ROWS]:
            sizes.append(next(embedded, None))
        else:
            sizes.append(None if words[-1] == "*" else 1)
    unknown = sizes.count(None)
    rest = len(query.columns) - sum(size or 0 for size in sizes)
    if unknown > 1 or rest < 0 or (rest and not unknown):
        return []
    found, at = [], 0
    for piece, size in zip(pieces, sizes, strict=True):
        count = rest if size is None else size
        span = Span(piece[0].start, piece[-1].end)
        found.append(Item(span, query.columns[at : at + count]))
        at += count
    return found


def _pieces(tokens: Sequence[Token]) -> list[list[Token]]:
    """Split the outer statement's SELECT or RETURNING list at its top-level commas."""
    depth, first = 0, None
    for position, token in enumerate(tokens):
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        word = token.text.upper()
        if not depth and (word == "RETURNING" or (word == "SELECT" and first is None)):
            first = position + 1
            if word == "RETURNING":
                break
    if first is None:
        return []
    pieces: list[list[Token]] = [[]]
    depth = 0
    for token in tokens[first:]:
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if depth < 0 or (not depth and token.text.upper() in _ENDS):
            break
        if token.text == "," and not depth:
            pieces.append([])
        elif pieces != [[]] or token.text.upper() not in {"DISTINCT", "ALL"}:
            pieces[-1].append(token)
    return pieces if all(pieces) else []
