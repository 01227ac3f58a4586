"""Read the arguments of `sqlc.include`, and substitute them for the fragment's parameters."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from msgspec.structs import replace

from aiosqlc.parse.pieces import Piece
from aiosqlc.parse.scanner import Kind

_VALUES = frozenset({"arg", "narg", "slice"})


def is_call(pieces: Sequence[Piece], at: int, macros: Collection[str]) -> bool:
    """Return whether a call of one of the macros, such as `sqlc.include(`, starts at an index."""
    if at >= len(pieces) or pieces[at].text.lower() != "sqlc":
        return False
    head = [piece.text.lower() for piece in pieces[at : at + 4]]
    return (
        len(head) == 4
        and pieces[at].kind is Kind.NAME
        and head[1] == "."
        and head[2] in macros
        and head[3] == "("
    )


def split_call(pieces: Sequence[Piece], first: int, last: int) -> list[list[Piece]]:
    """Return the arguments of the call `sqlc.name(…)` from index `first` to index `last`."""
    inside = [piece for piece in pieces[first + 4 : last] if piece.kind is not Kind.COMMENT]
    if not inside:
        return []
    found: list[list[Piece]] = [[]]
    depth = 0
    for piece in inside:
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(piece.text, 0)
        if piece.text == "," and not depth:
            found.append([])
        else:
            found[-1].append(piece)
    return found


def argument_of(pieces: Sequence[Piece]) -> list[Piece] | None:
    """Return the tokens of an argument if it is a single name or value, or else None."""
    if not pieces:
        return None
    tokens = [replace(pieces[0], gap=""), *pieces[1:]]
    dots = tokens[1::2]
    names = len(tokens) % 2 and all(token.is_name for token in tokens[::2])
    if names and all(dot.text == "." for dot in dots):
        return [replace(token, gap="") for token in tokens]
    if len(tokens) == 1 and tokens[0].kind in {Kind.NUMBER, Kind.STRING}:
        return tokens
    if len(tokens) == 2 and tokens[0].text == "@" and tokens[1].is_name and not tokens[1].gap:
        return tokens
    if len(tokens) == 2 and tokens[0].text in {"-", "+"} and tokens[1].kind is Kind.NUMBER:
        return _enclosed(tokens)
    if is_call(tokens, 0, _VALUES) and len(tokens) == 6 and tokens[-1].text == ")":
        return tokens
    return None


def _enclosed(tokens: Sequence[Piece]) -> list[Piece]:
    """Return a signed number in parentheses, because `-` before `-1` would begin a comment."""
    opening = Piece(Kind.PUNCTUATION, "(", tokens[0].at)
    return [opening, *tokens, Piece(Kind.PUNCTUATION, ")", tokens[-1].at)]


def substituted(body: Sequence[Piece], arguments: Mapping[str, Sequence[Piece]]) -> list[Piece]:
    """Return the tokens of a fragment, with the arguments in place of the parameters."""
    found: list[Piece] = []
    other = set(_other_names(body))
    for at, piece in enumerate(body):
        argument = arguments.get(piece.name.lower()) if piece.is_name and at not in other else None
        if argument is None:
            found.append(piece)
            continue
        if at + 1 < len(body) and body[at + 1].text == ".":  # a mistake is in the column
            argument = [replace(token, at=piece.at, copied=False) for token in argument]
        # Without the blank, `x@>y` and `@param` would become another operator.
        glued = at > 0 and not piece.gap and body[at - 1].kind is Kind.OPERATOR
        first, *rest = argument
        found += [replace(first, gap=" " if glued else piece.gap), *rest]
    return found


def _other_names(body: Sequence[Piece]) -> Iterator[int]:
    """Yield the indexes of the names in a fragment that are not its parameters.

    These names are qualified columns, functions, parameters of the query, and fragments.
    """
    for at, piece in enumerate(body):
        previous = body[at - 1] if at else None
        following = body[at + 1].text if at + 1 < len(body) else ""
        is_value = previous is not None and not piece.gap and _is_sign(previous)
        if is_value or following == "(" or (previous and previous.text == "."):
            yield at
        if is_call(body, at, {*_VALUES, "include"}):
            yield at + 4


def _is_sign(piece: Piece) -> bool:
    """Return whether a token ends with the `@` of a parameter."""
    return piece.kind is Kind.OPERATOR and piece.text.endswith("@")
