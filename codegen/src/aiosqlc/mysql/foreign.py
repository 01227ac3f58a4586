"""Remove foreign keys that a server refuses. Foreign keys do not affect the types of queries."""

from __future__ import annotations

from collections.abc import Sequence

import pymysql

from aiosqlc.mysql.errors import code_of
from aiosqlc.parse.scanner import Token, code_tokens
from aiosqlc.source import Dialect

# MariaDB and MySQL: the table or key does not exist, or the columns do not match.
_REFUSED = frozenset({1215, 1822, 1824, 3780, 6125})
_CANNOT_CREATE, _MALFORMED = 1005, "errno: 150"
_NOTHING = "DO 0"
_ENDS = frozenset({",", ")", ";"})


def is_foreign_key(error: pymysql.MySQLError) -> bool:
    """Return whether a server refuses a foreign key."""
    code = code_of(error)
    return code in _REFUSED or (code == _CANNOT_CREATE and _MALFORMED in str(error))


def without_foreign_keys(sql: str) -> str:
    """Return a CREATE TABLE without foreign keys; an ALTER that only adds one becomes `DO 0`."""
    tokens = code_tokens(sql, Dialect.MYSQL)
    words = [token.text.upper() for token in tokens]
    if words[:1] == ["ALTER"] and "FOREIGN" in words:
        added = words.index("FOREIGN")
        return _NOTHING if "," not in words[:added] and _end(tokens, added) == len(tokens) else sql
    if words[:1] != ["CREATE"]:
        return sql
    out = sql
    for place in reversed(range(len(tokens))):
        if words[place : place + 2] == ["FOREIGN", "KEY"]:
            first = _constraint(words, place)
            last = _end(tokens, place)
            # Each constraint follows another item and a comma.
            if words[first - 1] == ",":
                out = out[: tokens[first - 1].start] + out[tokens[last - 1].end :]
    return out


def _constraint(words: Sequence[str], place: int) -> int:
    """Return the position of a constraint's first word: CONSTRAINT, if the constraint is named."""
    return next((place - n for n in (1, 2) if words[place - n] == "CONSTRAINT"), place)


def _end(tokens: Sequence[Token], place: int) -> int:
    """Return the position where a constraint ends: at a comma, or at the closing parenthesis."""
    depth = 0
    for position in range(place, len(tokens)):
        text = tokens[position].text
        if depth == 0 and text in _ENDS:
            return position
        depth += {"(": 1, ")": -1}.get(text, 0)
    return len(tokens)
