"""Check that a fragment defines or receives each alias that it uses, and find its subqueries."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from aiosqlc.parse.joints import place_of
from aiosqlc.parse.pieces import Piece

_TABLES_FOLLOW = frozenset(
    {"FROM", "JOIN", "STRAIGHT_JOIN", "USING", "INTO", "UPDATE", "ONLY", "LATERAL"}
)
# After these words, a name with dots does not denote a column of an alias.
_OTHER_NAMES = frozenset({*_TABLES_FOLLOW, "AS", "::", "COLLATE", "TABLE", "TYPE", "@", "OPERATOR"})
_OF_THE_STATEMENT = frozenset({"excluded", "new", "old", "sqlc"})
_NO_ALIAS = frozenset(
    {
        *("ON", "USING", "WHERE", "JOIN", "INNER", "LEFT", "RIGHT", "FULL", "CROSS", "NATURAL"),
        *("GROUP", "ORDER", "LIMIT", "OFFSET", "FETCH", "FOR", "HAVING", "WINDOW", "UNION", "SET"),
        *("INTERSECT", "EXCEPT", "RETURNING", "VALUES", "SELECT", "DEFAULT", "WITH", "TABLESAMPLE"),
        *("STRAIGHT_JOIN", "USE", "FORCE", "IGNORE", "PARTITION", "LOCK", "INTO", "AND", "OR"),
    }
)


def defined(pieces: Sequence[Piece]) -> frozenset[str]:
    """Return the aliases, tables and WITH queries that a text defines, in lower case."""
    names: set[str] = set()
    for at, piece in enumerate(pieces):
        starts_table = piece.word in _TABLES_FOLLOW or piece.text in {",", "("}
        if (starts_table and place_of(pieces[: at + 1]) == "tables") or piece.word == "INTO":
            names |= _table(pieces, at + 1)
        if piece.is_name and [item.word for item in pieces[at + 1 : at + 3]] == ["AS", "("]:
            names.add(piece.name.lower())
    return frozenset(names)


def _table(pieces: Sequence[Piece], at: int) -> set[str]:
    """Return the name and the alias of the table or subquery at an index."""
    names: set[str] = set()
    while at < len(pieces) and pieces[at].word in {"ONLY", "LATERAL"}:
        at += 1
    while at < len(pieces) and pieces[at].is_name:
        names = {pieces[at].name.lower()}
        at += 1
        if at == len(pieces) or pieces[at].text != ".":
            break
        at += 1
    if at < len(pieces) and pieces[at].text == "(":
        at = _behind(pieces, at)
    if [piece.word for piece in pieces[at : at + 2]] == ["WITH", "ORDINALITY"]:
        at += 2
    if at < len(pieces) and pieces[at].word == "AS":
        at += 1
    if at < len(pieces) and pieces[at].is_name and pieces[at].word not in _NO_ALIAS:
        names.add(pieces[at].name.lower())
    return names


def _behind(pieces: Sequence[Piece], at: int) -> int:
    """Return the index after the parenthesis that closes the parenthesis at `at`."""
    depth = 0
    while at < len(pieces):
        depth += {"(": 1, ")": -1}.get(pieces[at].text, 0)
        at += 1
        if not depth:
            break
    return at


def unbound(pieces: Sequence[Piece], known: Collection[str]) -> Piece | None:
    """Return the first alias in a text that is defined neither in the text nor in `known`."""
    own = defined(pieces) | set(known) | _OF_THE_STATEMENT
    for chain in _chains(pieces):
        qualifiers = [piece.name.lower() for piece in chain[:-1]]
        if own.isdisjoint({qualifiers[-1], qualifiers[0]}):
            return chain[-2]
    return None


def _chains(pieces: Sequence[Piece]) -> Iterator[list[Piece]]:
    """Yield each column that has a qualifier, such as `o.id` or `o.*`."""
    for at, piece in enumerate(pieces):
        previous = pieces[at - 1].word if at else ""
        if not piece.is_name or previous == "." or previous in _OTHER_NAMES:
            continue
        if previous.endswith("@") or place_of(pieces[:at]) == "tables":
            continue
        chain = [piece]
        after = at + 1
        while after + 1 < len(pieces) and pieces[after].text == ".":
            chain.append(pieces[after + 1])
            after += 2
        is_call = after < len(pieces) and pieces[after].text == "("
        if len(chain) > 1 and not is_call:
            yield chain


def inside_subqueries(pieces: Sequence[Piece]) -> Iterator[int]:
    """Yield the indexes of the tokens in subqueries; if the text is a query, yield all indexes."""
    opened = [bool(pieces) and pieces[0].word in {"SELECT", "WITH"}]
    for at, piece in enumerate(pieces):
        if piece.text == "(":
            following = pieces[at + 1].word if at + 1 < len(pieces) else ""
            opened.append(opened[-1] or following in {"SELECT", "WITH"})
        elif piece.text == ")" and len(opened) > 1:
            opened.pop()
        if opened[-1]:
            yield at
