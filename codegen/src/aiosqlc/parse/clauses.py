"""Find the clauses of the outermost SELECT of a statement, and insert text between them."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from aiosqlc.parse.scanner import Kind, Token, code_tokens
from aiosqlc.source import Dialect, SourceMap

ENDS = frozenset({"ORDER", "LIMIT", "OFFSET"})
_CLAUSES = frozenset({"FROM", "WHERE", "GROUP", "HAVING", "WINDOW", *ENDS})
_SET_OPERATIONS = frozenset({"UNION", "INTERSECT", "EXCEPT", "MINUS"})
_REFUSED = frozenset({"FETCH", "FOR", "LOCK", "INTO", "PROCEDURE", *_SET_OPERATIONS})
AROUND = (
    "put the query into a subquery: `SELECT * FROM (…) AS q ORDER BY … LIMIT @size OFFSET @skip`"
)


class UnfitError(Exception):
    """Raised for a query that cannot be `:page` or `:batchget`; `why` is the reason."""

    def __init__(self, why: str, hint: str) -> None:
        super().__init__(why)
        self.why, self.hint = why, hint


class Clauses(Struct, frozen=True):
    """The tokens of a statement, with the start of each clause of its outermost SELECT."""

    tokens: Sequence[Token]
    at: dict[str, int]

    def of(self, name: str) -> Sequence[Token]:
        """Return the tokens of a clause, without the keyword that starts the clause."""
        start = self.at[name]
        end = min([at for at in self.at.values() if at > start], default=len(self.tokens))
        return self.tokens[start + 1 : end]


def clauses_of(sql: str, dialect: Dialect) -> Clauses:
    """Return the clauses of a SELECT.

    Raises `UnfitError` if the SELECT has no FROM, or has a clause of `_REFUSED`.
    """
    tokens = code_tokens(sql, dialect)
    at: dict[str, int] = {}
    depth = 0
    for position, token in enumerate(tokens):
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if depth or token.kind is not Kind.NAME:
            continue
        word = token.text.upper()
        before = tokens[position - 1].text.upper() if position else ""
        if word == "SELECT" and "SELECT" not in at:
            at[word] = position
        elif "SELECT" not in at or before == ".":
            continue
        elif word in _REFUSED:
            raise UnfitError(f"{word} is not possible in the outermost SELECT", AROUND)
        elif word in _CLAUSES and word not in at and (word != "FROM" or before != "DISTINCT"):
            at[word] = position
    if "SELECT" not in at or "FROM" not in at:
        raise UnfitError("only a SELECT with FROM has pages", AROUND)
    return Clauses(tokens, at)


def inserted(
    sql: str, source_map: SourceMap, at: int, text: str, source: int
) -> tuple[str, SourceMap]:
    """Insert `text` into `sql` at an offset, and return the new SQL with its source map.

    `source` is the place in the file to which the text refers. All variants must pass the same
    place, so that a parameter in the text is recognised as the same parameter.
    """
    length = len(text)
    before = [piece for piece in source_map.pieces if piece[0] < at]
    after = [(out + length, src, copied) for out, src, copied in source_map.pieces if out >= at]
    if before and (not after or after[0][0] > at + length):  # the rest of a piece that was cut
        after.insert(0, (at + length, source_map.to_source(at), before[-1][2]))
    return f"{sql[:at]}{text}{sql[at:]}", SourceMap((*before, (at, source, False), *after))
