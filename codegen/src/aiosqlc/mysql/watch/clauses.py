"""Find the clauses of a statement that affect locks, ignoring strings and comments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from aiosqlc.analysis.watched.modes import TableLock
from aiosqlc.parse.scanner import MARKS, Kind, Token, code_tokens, unquote
from aiosqlc.source import Dialect

_ADMINISTERED: Final = frozenset({"NO_WRITE_TO_BINLOG", "LOCAL"})
_TABLE_FOLLOWS: Final = frozenset({"TABLE", "TABLES", "ON"})

_WORDS_OF_WAIT: Final = 2  # NOWAIT is one word


class OwnSettings(NamedTuple):
    """The settings that SET STATEMENT gives to one statement.

    `names` are the names of the settings. `text` is the list that assigns them, and `statement` is
    the rest of the SQL.
    """

    names: tuple[str, ...]
    text: str
    statement: str


def outer_words(sql: str) -> Iterator[str]:
    """Yield a statement's tokens in upper case, without parentheses, `=` and comments."""
    return (token.text.upper() for token in _outer(sql))


def wait_limit(sql: str) -> float | None:
    """Return the most seconds that a statement waits for locks, or None if it sets no limit.

    MariaDB has the clauses WAIT and NOWAIT after the name of the table, or after the last name of a
    list. In other places, these words are names.
    """
    limit = _limit(list(_parts(_after_table(sql))))
    if not limit:
        return None
    return float(limit[1].text) if len(limit) == _WORDS_OF_WAIT else 0


def without_wait(sql: str) -> str:
    """Return a statement with NOWAIT in place of its WAIT, which overrides the session's limit."""
    limit = _limit(list(_parts(_after_table(sql))))
    if len(limit) < _WORDS_OF_WAIT:
        return sql
    return f"{sql[: limit[0].start]}NOWAIT{sql[limit[1].end :]}"


def own_settings(sql: str) -> OwnSettings | None:
    """Return the settings of SET STATEMENT, or None for another statement."""
    tokens = list(_outer(sql))
    words = [token.text.upper() for token in tokens]
    if words[:2] != ["SET", "STATEMENT"] or "FOR" not in words:
        return None
    at = words.index("FOR")
    names = tuple(part[0].text for part in _parts(tokens[2:at]))
    return OwnSettings(names, sql[tokens[1].end : tokens[at].start], sql[tokens[at].end :])


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
    parts = list(_parts(_after_table(sql)))
    limit = [token.text for token in _limit(parts)]
    texts = ["".join(token.text for token in part[: _end_of_name(part)]) for part in parts]
    return [" ".join(("ALTER TABLE", text, *limit, "FORCE")) for text in texts]


def _outer(sql: str) -> Iterator[Token]:
    depth = 0
    for token in code_tokens(sql, Dialect.MYSQL):
        depth += (token.text == "(") - (token.text == ")")
        if not depth and token.kind not in MARKS and token.text not in {")", "="}:
            yield token


def _after_table(sql: str) -> list[Token]:
    """Return the tokens from the name of a statement's first table on."""
    tokens = [token for token in _outer(sql) if token.text != ";"]
    words = [token.text.upper() for token in tokens]
    at = next((n + 1 for n, word in enumerate(words) if word in _TABLE_FOLLOWS), len(words))
    if words[:1] == ["TRUNCATE"] and at == len(words):  # it may be without TABLE
        at = 1
    while words[at : at + 1] in (["IF"], ["NOT"], ["EXISTS"]):
        at += 1
    return tokens[at:]


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


def _limit(parts: Sequence[Sequence[Token]]) -> Sequence[Token]:
    """Return the clause WAIT or NOWAIT that follows the list of table names, or nothing.

    `parts` are the tokens between commas, from the name of the first table on.
    """
    after = next((rest for part in parts if (rest := part[_end_of_name(part) :])), ())
    if after and after[0].text.upper() == "NOWAIT":
        return after[:1]
    is_wait = len(after) > 1 and after[0].text.upper() == "WAIT" and after[1].kind is Kind.NUMBER
    return after[:2] if is_wait else ()


def _end_of_name(part: Sequence[Token]) -> int:
    """Return the number of tokens of the table's name at the start of a list's item."""
    at = 1
    while at + 1 < len(part) and part[at].text == ".":
        at += 2
    return at


def _named(part: Sequence[Token]) -> str:
    """Return the table's name at the start of a list's item, in lower case."""
    return unquote(part[_end_of_name(part) - 1]).lower() if part else ""
