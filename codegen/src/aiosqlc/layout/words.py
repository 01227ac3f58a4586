"""Decide how tokens are written: the case of keywords, and the spaces between tokens."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from aiosqlc.parse.scanner import Kind, Token
from aiosqlc.source import Dialect

# Words that cannot be column names, so that their case has no meaning.
KEYWORDS = frozenset(
    {
        "ALL", "AND", "AS", "ASC", "BETWEEN", "BY", "CASE", "CONFLICT", "CROSS", "DEFAULT",
        "DELETE", "DESC",
        "DISTINCT", "ELSE", "END", "EXCEPT", "EXISTS", "FETCH", "FOR", "FROM", "FULL", "GROUP",
        "HAVING", "ILIKE", "IN", "INNER", "INSERT", "INTERSECT", "INTO", "IS", "JOIN", "LATERAL",
        "LEFT", "LIKE", "LIMIT", "NATURAL", "NOT", "NULL", "OFFSET", "ON", "OR", "ORDER", "OUTER",
        "RETURNING", "RIGHT", "SELECT", "SET", "STRAIGHT_JOIN", "THEN", "UNION", "UPDATE",
        "USING", "VALUES", "WHEN", "WHERE", "WINDOW", "WITH",
    }
)  # fmt: skip
# Words that can be column names, on MySQL or everywhere, so that their case is kept.
_SOFT = {
    Dialect.MYSQL: frozenset({"CONFLICT", "END", "FULL", "ILIKE", "OFFSET", "RETURNING", "WINDOW"}),
    Dialect.POSTGRESQL: frozenset[str](),
}
# Words that are keywords only beside certain words: a column may be called `first`.
_PAIRS = frozenset(
    {
        (")", "OVER"), ("CURRENT", "ROW"), ("DO", "NOTHING"), ("DO", "UPDATE"),
        ("DUPLICATE", "KEY"), ("FILTER", "("), ("NULLS", "FIRST"), ("NULLS", "LAST"),
        ("ON", "DUPLICATE"), ("OVER", "("), ("PARTITION", "BY"), ("RANGE", "BETWEEN"),
        ("REPLACE", "INTO"), ("ROWS", "BETWEEN"), ("SKIP", "LOCKED"), ("UNBOUNDED", "FOLLOWING"),
        ("UNBOUNDED", "PRECEDING"), ("UPDATE", "OF"), ("WITH", "RECURSIVE"), ("WITH", "ROLLUP"),
    }
)  # fmt: skip
_PAIRED = frozenset({word for pair in _PAIRS for word in pair if word.isalpha()})
# Words that are also function names: `left(a, 1)`.
CALLED = frozenset({"LEFT", "RIGHT", "INSERT", "REPLACE"})
_SPACED = frozenset({"=", "<", ">", "<=", ">=", "<>", "!=", ":="})
# Operators with blanks on both sides between operands, and one blank before a parenthesis.
BINARY = frozenset({"+", "-", "*", "/", "%", "||"})
_BEFORE_BRACKET = frozenset(
    {
        "ALL", "AND", "AS", "BY", "ELSE", "EXISTS", "FILTER", "FROM", "HAVING", "IN", "JOIN",
        "LATERAL", "NOT", "ON", "OR", "OVER", "SELECT", "THEN", "UNION", "USING", "VALUES", "WHEN",
        "WHERE",
    }
)  # fmt: skip


class Atom(Struct, frozen=True):
    """A token with its final text; `spaced` is true if a space precedes the token.

    `word` is the text in upper case, or empty if the token is quoted or used as a name. `above` are
    the comments on the lines before the token, and `behind` is the comment at the end of its line.
    """

    text: str
    word: str
    spaced: bool
    above: tuple[str, ...] = ()
    behind: str = ""


def folded(token: Token) -> str:
    """Return the text of a token, with keywords in upper case."""
    upper = token.text.upper()
    keyword = upper in KEYWORDS or upper in _PAIRED
    return upper if token.kind is Kind.NAME and keyword else token.text


def names_something(tokens: Sequence[Token], at: int) -> bool:
    """Return whether a word is used as a name although it may be a keyword: `t.order`, `@limit`."""
    token = tokens[at]
    before = tokens[at - 1] if at else None
    after = tokens[at + 1] if at + 1 < len(tokens) else None
    if after and after.text == ".":
        return True
    if before is None:
        return False
    joined = before.end == token.start and before.text[-1] in "@:.$"
    macro = before.text == "(" and at > 3 and tokens[at - 3].text == "."  # sqlc.arg(limit)
    return joined or macro or before.text == "." or before.text.upper() == "AS"


def cased(tokens: Sequence[Token], at: int, dialect: Dialect) -> str:
    """Return the text of a token, in upper case if the token is used as a keyword."""
    token = tokens[at]
    upper = token.text.upper()
    if token.kind is not Kind.NAME or upper not in KEYWORDS | _PAIRED:
        return token.text
    before = tokens[at - 1].text.upper() if at else ""
    after = tokens[at + 1].text.upper() if at + 1 < len(tokens) else ""
    if names_something(tokens, at) or (after == "(" and upper in CALLED):
        return token.text
    paired = (before, upper) in _PAIRS or (upper, after) in _PAIRS
    return upper if paired or (upper in KEYWORDS and upper not in _SOFT[dialect]) else token.text


def spaced(tokens: Sequence[Token], at: int) -> bool:
    """Return whether a token needs a space before it, by convention or as in the source."""
    before, token = tokens[at - 1], tokens[at]
    if before.text in {"(", "["} or token.text in {")", "]", ",", ";"}:
        return False
    if before.text == "," or (before.text == ")" and token.kind is Kind.NAME):
        return True
    if token.text == "(" and before.text.upper() in _BEFORE_BRACKET:
        assigned = before.text.upper() == "VALUES" and at > 1 and _operates(tokens[at - 2])
        return before.end < token.start if assigned else not names_something(tokens, at - 1)
    if Kind.OPERATOR in {before.kind, token.kind} and {before.text, token.text} & _SPACED:
        return True
    if is_binary(tokens, at) or is_binary(tokens, at - 1):
        return True
    return before.end < token.start


def _operates(token: Token) -> bool:
    return token.kind is Kind.OPERATOR or token.text in {",", "("}


def is_binary(tokens: Sequence[Token], at: int) -> bool:
    """Return whether an operator has two operands, unlike the star of `count(*)` or `t.*`."""
    if tokens[at].text not in BINARY or not 0 < at < len(tokens) - 1:
        return False
    before, after = tokens[at - 1], tokens[at + 1]
    if _operates(before) or before.text in {".", "["} or before.text.upper() in KEYWORDS:
        return before.text.upper() == "END" and not _operates(after)
    return not _operates(after) or after.text == "("
