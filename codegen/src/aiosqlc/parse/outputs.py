"""Find the name and the expression of an item of a select list."""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_lowercase, ascii_uppercase

from aiosqlc.parse.reserved import is_reserved
from aiosqlc.parse.scanner import LEXES, Kind, Token, unquote
from aiosqlc.source import Dialect

_NAMES = frozenset({Kind.NAME, Kind.QUOTED})
_STEPS = {"(": 1, "[": 1, ")": -1, "]": -1}
_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)

# The words that end an expression, and therefore may come before an alias.
_VALUES = frozenset(
    {"END", "NULL", "TRUE", "FALSE", "CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP"}
)
# The words that end an expression or a type, and are not an alias without AS.
_NO_ALIAS = frozenset(
    {*_VALUES, "DAY", "HOUR", "MINUTE", "MONTH", "PRECISION", "SECOND", "UNKNOWN", "VARYING"}
    | {"YEAR", "ZONE"}
)


def name_of(token: Token, dialect: Dialect) -> str:
    """Return a name as the engine compares it: without quotes, and in lower case if it folds."""
    if LEXES[dialect].folds_quoted:
        return unquote(token).lower()
    if token.kind is Kind.NAME:
        return token.text.translate(_LOWER)
    return unquote(token)


def output_of(item: Sequence[Token], dialect: Dialect) -> tuple[str, Sequence[Token]]:
    """Return an output column's name and expression; the name is empty if the engine decides."""
    last, before = item[-1], item[-2] if len(item) > 1 else None
    aliases = _NAMES | ({Kind.STRING} if LEXES[dialect].named_by_text else set())
    if before and before.text.upper() == "AS" and last.kind in aliases:
        return name_of(last, dialect), item[:-2]
    if before and last.kind in _NAMES and _is_alias(before, last, dialect):
        return name_of(last, dialect), item[:-1]
    return _named(item, dialect), item


def _is_alias(before: Token, last: Token, dialect: Dialect) -> bool:
    word = last.text.upper()
    if last.kind is Kind.NAME and (word in _NO_ALIAS or is_reserved(word, dialect)):
        return False
    if before.kind is Kind.NAME:
        word = before.text.upper()
        return word in _VALUES or not is_reserved(word, dialect)
    return before.kind in {Kind.QUOTED, Kind.NUMBER, Kind.STRING} or before.text in {")", "]"}


def _named(tokens: Sequence[Token], dialect: Dialect) -> str:
    """Return the name that the engine takes from an expression, or ''."""
    if is_path(tokens):
        return name_of(tokens[-1], dialect)
    if LEXES[dialect].named_by_text or not tokens:  # where a text is the name of an expression
        return ""
    if is_enclosed(tokens):
        is_query = tokens[1].text.upper() in {"SELECT", "WITH", "VALUES"}
        return "" if is_query else _named(tokens[1:-1], dialect)
    if tokens[-1].text == "]":
        return _named(tokens[: _opening(tokens)], dialect)
    if len(tokens) > 2 and tokens[-2].text.upper() == "COLLATE":
        return _named(tokens[:-2], dialect)
    casts = [at for at in _at_top(tokens) if tokens[at].text == "::"]
    if casts:
        end = casts[-1]
        kind = tokens[end + 1 :]
        plain = all(t.kind is not Kind.OPERATOR and t.kind is not Kind.STRING for t in kind)
        return _named(tokens[:end], dialect) if plain else ""
    opening = _opening(tokens)
    called = tokens[:opening]
    if tokens[-1].text != ")" or not is_path(called):
        return ""
    if len(called) == 1 and called[0].text.upper() == "CAST":
        inner = tokens[opening + 1 : -1]
        ends = [at for at in _at_top(inner) if inner[at].text.upper() == "AS"]
        return _named(inner[: ends[-1]], dialect) if ends else ""
    keyword = called[-1].kind is Kind.NAME and is_reserved(called[-1].text, dialect)
    return "" if keyword else name_of(called[-1], dialect)


def is_path(tokens: Sequence[Token]) -> bool:
    """Return whether tokens are names with dots between them."""
    return (
        len(tokens) % 2 == 1
        and all(token.kind in _NAMES for token in tokens[::2])
        and all(token.text == "." for token in tokens[1::2])
    )


def is_enclosed(tokens: Sequence[Token]) -> bool:
    """Return whether the first token is a parenthesis that the last token closes."""
    return (
        len(tokens) > 1
        and tokens[0].text == "("
        and tokens[-1].text == ")"
        and _opening(tokens) == 0
    )


def _opening(tokens: Sequence[Token]) -> int:
    """Return the position of the bracket that the last token closes, or the end."""
    depth = 0
    for at in range(len(tokens) - 1, -1, -1):
        depth -= _STEPS.get(tokens[at].text, 0)
        if depth == 0:
            return at
    return len(tokens)


def _at_top(tokens: Sequence[Token]) -> list[int]:
    """Return the positions of the tokens outside brackets."""
    found, depth = [], 0
    for at, token in enumerate(tokens):
        depth += _STEPS.get(token.text, 0)
        if depth == 0:
            found.append(at)
    return found
