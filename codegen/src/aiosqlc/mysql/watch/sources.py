"""Find the tables that a statement copies rows from, and whose rows it locks while it reads them.

At the isolation level REPEATABLE READ, CREATE TABLE … SELECT and INSERT … SELECT lock the rows that
they read, so that the binary log can repeat the statements.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import pymysql

from aiosqlc.parse.scanner import Token, code_tokens
from aiosqlc.servers.mysql.session import Session
from aiosqlc.source import Dialect

_LOCKING = frozenset({"REPEATABLE-READ", "SERIALIZABLE"})
_READS_ALL = frozenset({"ALL", "index"})


def copied_sources(session: Session, sql: str) -> set[str]:
    """Return the tables of which a statement reads all rows into another table.

    Nothing is returned if the statement does not lock the rows that it reads.
    """
    select = _select(sql)
    if not select or _isolation(session) not in _LOCKING:
        return set()
    with suppress(pymysql.MySQLError):
        with session.connection.cursor(pymysql.cursors.DictCursor) as cursor:
            cursor.execute(f"EXPLAIN {select}")
            steps = cursor.fetchall()
        return {str(step["table"]) for step in steps if step["type"] in _READS_ALL}
    return set()


def _isolation(session: Session) -> str:
    named = session.rows("SHOW VARIABLES LIKE 'transaction_isolation'")
    named = named or session.rows("SHOW VARIABLES LIKE 'tx_isolation'")
    return str(named[0][1])


def _select(sql: str) -> str:
    """Return the query of CREATE TABLE … SELECT, INSERT … SELECT or REPLACE … SELECT, or ''."""
    tokens = [token for token in code_tokens(sql, Dialect.MYSQL) if token.text != ";"]
    words = [token.text.upper() for token in tokens]
    creates = words[:1] == ["CREATE"] and "TABLE" in words[:4]
    if not creates and words[:1] not in (["INSERT"], ["REPLACE"]):
        return ""
    start = next((at for at in range(len(words)) if _begins_query(words, at)), None)
    return "" if start is None else sql[tokens[start].start : _end(tokens[start:])]


def _begins_query(words: Sequence[str], at: int) -> bool:
    if words[at] == "WITH":  # of a common table expression, not of WITH SYSTEM VERSIONING
        return words[at + 1 : at + 2] == ["RECURSIVE"] or words[at + 2 : at + 3] in (["AS"], ["("])
    return words[at] == "SELECT"


def _end(tokens: Sequence[Token]) -> int:
    """Return the end of a query, before the parenthesis that encloses it, or an ON DUPLICATE."""
    depth, end = 0, tokens[0].end
    for token, after in zip(tokens, [*tokens[1:], None], strict=True):
        depth += (token.text == "(") - (token.text == ")")
        duplicate = after is not None and after.text.upper() == "DUPLICATE"
        if depth < 0 or (token.text.upper() == "ON" and not depth and duplicate):
            break
        end = token.end
    return end
