"""Find the clauses of a statement that affect locks, and ignore its strings and comments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from aiosqlc.analysis.watched.modes import TableLock
from aiosqlc.parse.scanner import MARKS, Kind, Token, code_tokens, unquote
from aiosqlc.source import Dialect

_ADMINISTERED: Final = frozenset({"NO_WRITE_TO_BINLOG", "LOCAL"})
_WAITS: Final = frozenset({"WAIT", "NOWAIT"})
# After these words, NOWAIT is the name of a column or an index.
_NAMING: Final = frozenset(
    {"ADD", "AFTER", "ALTER", "CHANGE", "COLUMN", "DROP", "INDEX", "KEY", "MODIFY", "RENAME", "TO"}
)


def outer_words(sql: str) -> Iterator[str]:
    """Yield a statement's tokens in upper case, without parentheses, `=` and comments."""
    return (token.text.upper() for token in _outer(sql))


def limits_wait(sql: str) -> bool:
    """Return whether a statement limits its wait for locks, with WAIT or NOWAIT."""
    tokens = list(_outer(sql))
    for before, token in pairwise(tokens):
        word, earlier = token.text.upper(), before.text.upper()
        if word == "NOWAIT" and earlier not in _NAMING:
            return True
        if earlier == "WAIT" and token.kind is Kind.NUMBER:
            return True
    return False


def locked(sql: str) -> dict[str, TableLock]:
    """Return the lock of each table that LOCK TABLES names, by the name in lower case."""
    found: dict[str, TableLock] = {}
    for part in _parts(_after_table(sql)):
        words = {token.text.upper() for token in part if token.kind is Kind.NAME}
        name = _named(part)
        if "WRITE" in words or name not in found:
            found[name] = TableLock.EXCLUSIVE if "WRITE" in words else TableLock.SHARED
    return found


def rebuilds(sql: str) -> list[str]:
    """Return the changes that InnoDB runs for OPTIMIZE TABLE, one for each table.

    Return nothing for another statement.
    """
    words = [word for word in outer_words(sql) if word not in _ADMINISTERED]
    if words[:2] not in (["OPTIMIZE", "TABLE"], ["OPTIMIZE", "TABLES"]):
        return []
    found = []
    for part in _parts(_after_table(sql)):
        end = next((at for at, token in enumerate(part) if token.text.upper() in _WAITS), None)
        name, limit = part[:end], part[end:] if end is not None else []
        texts = ["".join(token.text for token in name), *(token.text for token in limit)]
        found.append(f"ALTER TABLE {' '.join(texts)} FORCE")
    return found


def _outer(sql: str) -> Iterator[Token]:
    depth = 0
    for token in code_tokens(sql, Dialect.MYSQL):
        depth += (token.text == "(") - (token.text == ")")
        if not depth and token.kind not in MARKS and token.text not in {")", "="}:
            yield token


def _after_table(sql: str) -> list[Token]:
    tokens = [token for token in _outer(sql) if token.text != ";"]
    at = next((n for n, t in enumerate(tokens) if t.text.upper() in {"TABLE", "TABLES"}), -1)
    return tokens[at + 1 :]


def _parts(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """Yield the tokens between the commas of a list."""
    part: list[Token] = []
    for token in tokens:
        if token.text == ",":
            yield part
            part = []
        else:
            part.append(token)
    if part:
        yield part


def _named(part: Sequence[Token]) -> str:
    """Return the table's name at the start of a list's item, in lower case."""
    at = 0
    while at + 2 < len(part) and part[at + 1].text == ".":
        at += 2
    return unquote(part[at]).lower() if part else ""
