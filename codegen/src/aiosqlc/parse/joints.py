"""Join the text of a fragment to the text around it, so that both keep their meaning.

Parentheses are added around a condition, an expression, a query or a chain of joined tables.
Parentheses are not possible around a list, a single table, an assignment, or joins to the tables
before them. So a fragment without parentheses is refused if an operator beside it would apply to
only a part of the fragment.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from aiosqlc.parse.pieces import Piece
from aiosqlc.parse.scanner import Kind

_JOINS: Final = frozenset(
    {"JOIN", "INNER", "LEFT", "RIGHT", "FULL", "CROSS", "NATURAL", "STRAIGHT_JOIN"}
)
_QUERIES: Final = frozenset({"SELECT", "WITH", "VALUES", "TABLE"})
_LINKS: Final = frozenset({"AND", "OR", "NOT", ",", ".", "="})
_CLAUSES: Final = frozenset(
    {
        *("FROM", "WHERE", "GROUP", "HAVING", "WINDOW", "ORDER", "LIMIT", "OFFSET", "FETCH"),
        *("UNION", "INTERSECT", "EXCEPT", "RETURNING", "SET", "ON", "USING"),
    }
)
# Words after an item of a list, a table or an assignment.
_ENDS: Final = frozenset({*_CLAUSES, "FOR", "INTO", "LOCK", "WHEN", ")", ",", ""})
_BEFORE_ITEMS: Final = frozenset(
    {*("", ",", "(", ")", "SELECT", "DISTINCT", "ALL", "RETURNING", "BY", "FROM", "USING", "ONLY")}
)
_BEFORE_TABLES: Final = frozenset({"FROM", "JOIN", "STRAIGHT_JOIN", "USING", "ONLY", "LATERAL"})
_OF_TABLES: Final = frozenset({"FROM", "USING", "JOIN", "ON"})
# Clauses that a fragment can contain, and their order in a statement.
_ENDINGS: Final = ("WHERE", "GROUP", "HAVING", "ORDER", "LIMIT")
_ORDER: Final = (
    *("WHERE", "GROUP", "HAVING", "WINDOW", "UNION", "INTERSECT", "EXCEPT"),
    *("ORDER", "LIMIT", "OFFSET", "FETCH", "FOR", "LOCK", "INTO", "RETURNING"),
)
_KEYWORDS: Final = frozenset({*_CLAUSES, "SELECT", "VALUES", "UPDATE", "JOIN", "BY"})
_ORDERS: Final = frozenset({"ASC", "DESC"})
_MACROS: Final = frozenset({"embed", "nest"})


class MisfitError(Exception):
    """Raised if a fragment cannot be included at a position; `why` and `hint` go to the user."""

    def __init__(self, why: str, hint: str) -> None:
        super().__init__(why)
        self.why = why
        self.hint = hint


def needs_parentheses(body: Sequence[Piece], before: Sequence[Piece], after: str) -> bool:
    """Return whether a fragment needs parentheses where it is included, or raise `MisfitError`.

    `before` are the tokens before the `sqlc.include`, and `after` is the word after it, or an empty
    string at the end of the statement.
    """
    top = _top(body)
    previous = before[-1].word if before else ""
    _check_whole(body, top)
    if (previous, after) in {("(", ")"), ("", "")}:
        return False
    if top[0] in _QUERIES:
        return True
    enclosed = _is_enclosed(body, top, before, after)
    clause = _last_clause(top)
    if clause and (enclosed or not _may_follow(top, clause, after)):
        raise MisfitError(f"the fragment contains {clause}", f"write {clause} in the query")
    return enclosed


def _is_enclosed(
    body: Sequence[Piece], top: Sequence[str], before: Sequence[Piece], after: str
) -> bool:
    """Return whether a fragment that is not a query gets parentheses, or raise `MisfitError`."""
    previous = before[-1].word if before else ""
    several = "," in top
    if _begins_with_join(body):
        if several:
            raise MisfitError("the fragment contains both joins and a comma", _ONE_KIND)
        _check_after(after, _ENDS | _JOINS)
        return False
    if not _JOINS.isdisjoint({"JOIN", "STRAIGHT_JOIN"} & set(top)):
        if several:
            raise MisfitError("the fragment contains both joins and a comma", _ONE_KIND)
        return True
    place = place_of(before)
    if place == "assignments":
        _check_after(after, _ENDS)
        return False
    if place == "tables":
        if several and (after in _JOINS or previous not in {"FROM", "USING", ","}):
            raise MisfitError(
                "a join next to the fragment would apply to only one table of the fragment", _ALONE
            )
        return False
    if not _is_item(body, top):
        return True
    if previous not in _BEFORE_ITEMS:
        raise MisfitError(
            f"`{previous}` would apply only to the first item of the fragment", _ALONE
        )
    _check_after(after, _ENDS)
    return False


_ONE_KIND = "write the joins and the list as two fragments"
_ALONE = "include the fragment as an item of a list, between commas or clauses"


def _check_after(after: str, allowed: frozenset[str]) -> None:
    if after not in allowed:
        raise MisfitError(f"`{after}` would apply only to the last item of the fragment", _ALONE)


def _check_whole(body: Sequence[Piece], top: Sequence[str]) -> None:
    """Raise `MisfitError` if a fragment begins with a clause or is incomplete, as `a = 1 AND`."""
    if top[0] in {*_CLAUSES, "AND", "OR"} and body[0].kind is Kind.NAME:
        raise MisfitError(f"the fragment begins with {top[0]}", f"write {top[0]} in the query")
    if top[0] == ",":
        raise MisfitError("the fragment begins with a comma", "write the comma in the query")
    if top[-1] in _LINKS:
        raise MisfitError(f"the fragment ends with `{top[-1]}`", f"write `{top[-1]}` in the query")


def _last_clause(top: Sequence[str]) -> str:
    """Return the keyword of the last clause in a fragment, or an empty string without a clause."""
    for word, following in reversed([*pairwise([*top, ""])]):
        if word in _ENDINGS and (word not in {"GROUP", "ORDER"} or following == "BY"):
            return word
    return ""


def _may_follow(top: Sequence[str], clause: str, after: str) -> bool:
    """Return whether the word `after` may follow a fragment that ends with the clause `clause`."""
    if after == "AND":
        return clause in {"WHERE", "HAVING"} and {"OR", "XOR"}.isdisjoint(top)
    if after in _ORDER:
        return _ORDER.index(after) > _ORDER.index(clause)
    return after in {"", ")"}


def _begins_with_join(body: Sequence[Piece]) -> bool:
    is_call = len(body) > 1 and body[1].text == "("
    return body[0].word in _JOINS and not is_call


def _is_item(body: Sequence[Piece], top: Sequence[str]) -> bool:
    """Return whether a fragment is one or more items of a list that cannot have parentheses."""
    if "," in top or "AS" in top or top[0] in {"DISTINCT", "ALL"}:
        return True
    if top[-1] in _ORDERS or top[-2:-1] == ["NULLS"]:
        return True
    if body[-1].text == "*" and (len(body) == 1 or body[-2].text == "."):
        return True
    head = [piece.text.lower() for piece in body[:3]]
    return head[:2] == ["sqlc", "."] and head[2:] != [] and head[2] in _MACROS


def _top(body: Sequence[Piece]) -> list[str]:
    """Return the words outside of all parentheses, with each pair of parentheses as one word."""
    words: list[str] = []
    depth = 0
    for at, piece in enumerate(body):
        depth -= piece.text in {")", "]"}
        if not depth:
            words.append(_word(body, at))
        depth += piece.text in {"(", "["}
    return words


def place_of(before: Sequence[Piece]) -> str:
    """Return the kind of list that `before` ends in: `tables`, `assignments`, or '' for others."""
    if not before:
        return ""
    last = before[-1].word
    clause, at = _clause(before)
    if last == "SET" or (clause == "SET" and last == ","):
        return "assignments"
    if clause == "UPDATE" and last in {"UPDATE", ","}:
        duplicates = at > 0 and before[at - 1].word == "KEY"
        return "assignments" if duplicates else "tables"
    if last in _BEFORE_TABLES or (last == "," and clause in _OF_TABLES):
        return "tables"
    return place_of(before[:-1]) if last == "(" and _opens_tables(before) else ""


def _opens_tables(before: Sequence[Piece]) -> bool:
    return len(before) > 1 and before[-2].word in {*_BEFORE_TABLES, ",", "("}


def _clause(before: Sequence[Piece]) -> tuple[str, int]:
    """Return the keyword of the clause in which the tokens end, and the keyword's index."""
    depth = 0
    for at in range(len(before) - 1, -1, -1):
        piece = before[at]
        depth += piece.text in {")", "]"}
        depth -= piece.text in {"(", "["}
        if depth < 0:
            return "", at
        if not depth and piece.kind is Kind.NAME and _word(before, at) in _KEYWORDS:
            return piece.word, at
    return "", -1


def _word(pieces: Sequence[Piece], at: int) -> str:
    """Return a token in upper case, or `name` if it is a column's or a parameter's name."""
    previous = pieces[at - 1].text if at else ""
    is_name = previous == "." or (previous.endswith("@") and not pieces[at].gap)
    return "name" if is_name else pieces[at].word
