"""The position in a query at which a server reports an error, with the tokens around it."""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property

from msgspec import Struct

from aiosqlc.parse.scanner import Kind, Token, scan
from aiosqlc.source import Dialect, SourceFile, Span

CLAUSES = frozenset(
    {"SELECT", "FROM", "WHERE", "GROUP", "HAVING", "WINDOW", "ORDER", "LIMIT", "OFFSET", "FETCH"}
    | {"UNION", "INTERSECT", "EXCEPT", "RETURNING", "SET", "VALUES", "INTO", "UPDATE", "DELETE"}
    | {"INSERT", "REPLACE", "ON", "USING", "WITH", "FOR", "JOIN", "MERGE"}
)


class Place(Struct, frozen=True, dict=True):
    """A position in a query: an index in `tokens`, or `len(tokens)` for the end of the query."""

    text: str
    tokens: tuple[Token, ...]
    at: int
    dialect: Dialect

    @cached_property
    def words(self) -> list[str]:
        """Return the texts of the tokens in upper case."""
        return [token.text.upper() for token in self.tokens]

    def word(self, step: int = 0) -> str:
        """Return the token `step` tokens after this one in upper case, or '' outside the query."""
        at = self.at + step
        return self.words[at] if 0 <= at < len(self.tokens) else ""

    def token(self, step: int = 0) -> Token | None:
        """Return the token `step` tokens after this one, or None outside the query."""
        at = self.at + step
        return self.tokens[at] if 0 <= at < len(self.tokens) else None

    def said(self, step: int = 0) -> str:
        """Return the text of the token `step` tokens after this one, or '' outside the query."""
        token = self.token(step)
        return token.text if token else ""

    def is_name(self, step: int = 0) -> bool:
        """Return whether the token `step` tokens after this one is a name or a keyword."""
        token = self.token(step)
        return token is not None and token.kind in {Kind.NAME, Kind.QUOTED}

    def is_number(self, step: int = 0) -> bool:
        """Return whether the token `step` tokens after this one is a number."""
        token = self.token(step)
        return token is not None and token.kind is Kind.NUMBER

    def moved(self, step: int) -> Place:
        """Return the position `step` tokens after this one."""
        return Place(self.text, self.tokens, self.at + step, self.dialect)

    def above(self) -> list[tuple[int, str]]:
        """Return the words before this position in the same parentheses, nearest first.

        The last word is the bracket that encloses the position, if there is one.
        """
        found = []
        depth = 0
        for at in range(min(self.at, len(self.tokens)) - 1, -1, -1):
            word = self.words[at]
            if word == ")":
                depth += 1
            elif word == "(":
                depth -= 1
            if depth < 0:
                found.append((at, word))
                break
            if not depth:
                found.append((at, "()" if word == "(" else word))
        return found

    @cached_property
    def call(self) -> tuple[str, int]:
        """Return the word before the `(` that encloses this position, and the index of this `(`."""
        last = self.above()[-1:]
        if not last or last[0][1] != "(" or not last[0][0]:
            return "", -1
        return self.words[last[0][0] - 1], last[0][0]

    @cached_property
    def clause(self) -> str:
        """Return the keyword of the clause around this position, or `(` inside a bracketed list."""
        return next((word for _, word in self.above() if word in CLAUSES or word == "("), "")

    @cached_property
    def clauses(self) -> list[str]:
        """Return the clause keywords before this position in the same brackets, nearest first."""
        return [word for _, word in self.above() if word in CLAUSES]

    @cached_property
    def verb(self) -> str:
        """Return the first word of the statement in upper case."""
        return self.words[0] if self.words else ""


def place_in(file: SourceFile, query: Span, span: Span, dialect: Dialect) -> Place:
    """Return the position in `query` at which the first token of `span` starts."""
    tokens = tuple(
        token
        for token in scan(file.text[: query.end], dialect, start=query.start)
        if token.kind is not Kind.COMMENT
    )
    at = bisect_right(tokens, span.start, key=lambda token: token.start) - 1
    return Place(file.text, tokens, max(at, 0), dialect)
