"""Find a schema change's algorithm and lock by trying the combinations, the cheapest first.

Without the clauses ALGORITHM and LOCK, a server chooses the first combination that it supports. A
server refuses a combination that it does not support. So the first accepted combination is the
combination that the server would choose itself. See "Online DDL Operations" in MySQL's manual, and
"InnoDB Online DDL Overview" in MariaDB's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import pymysql
from msgspec import Struct
from msgspec.structs import replace

from aiosqlc.mysql.errors import code_of
from aiosqlc.mysql.watch.clauses import outer_words
from aiosqlc.servers.mysql.session import Session


class Way(Struct, frozen=True):
    """The algorithm and lock with which a server changes a table, or '' if unknown."""

    algorithm: str = ""
    lock: str = ""

    def options(self, separator: str) -> str:
        """Return the clauses ALGORITHM and LOCK for this algorithm and lock."""
        clauses = [("ALGORITHM", self.algorithm), ("LOCK", self.lock)]
        return "".join(f"{separator}{name}={value}" for name, value in clauses if value)


_WAYS: Final = (
    Way("INSTANT"),
    Way("NOCOPY", "NONE"),
    Way("INPLACE", "NONE"),
    Way("NOCOPY", "SHARED"),
    Way("INPLACE", "SHARED"),
    Way("NOCOPY", "EXCLUSIVE"),
    Way("INPLACE", "EXCLUSIVE"),
    Way("COPY", "NONE"),
    Way("COPY", "SHARED"),
    Way("COPY", "EXCLUSIVE"),
)
_UNSUPPORTED: Final = frozenset({1845, 1846})  # ER_ALTER_OPERATION_NOT_SUPPORTED, …_REASON
_NO_SUCH_CLAUSE: Final = frozenset({1064, 1221, 1800})  # statements that have no such clauses
_IGNORES_SETTING: Final = (11, 5)  # the first MariaDB that ignores alter_algorithm
_I = re.IGNORECASE
_NAME = r"(?:`(?:[^`]|``)+`|[\w$.]+)"
_ALTER = re.compile(r"alter\s+(?:online\s+|ignore\s+)*table\b", _I)
_CREATE_INDEX = re.compile(r"create\s+(?:online\s+|or\s+replace\s+|\w+\s+)?index\b", _I)
_DROP_INDEX = re.compile(
    rf"drop\s+index\s+(?P<exists>if\s+exists\s+)?(?P<index>{_NAME})\s+on\s+(?P<table>{_NAME})\s*$",
    _I,
)
_VALUES: Final = {
    "ALGORITHM": frozenset({"DEFAULT", "INSTANT", "NOCOPY", "INPLACE", "COPY"}),
    "LOCK": frozenset({"DEFAULT", "NONE", "SHARED", "EXCLUSIVE"}),
}
# What may follow a clause: the end, a further action or clause, or the options of partitions.
_AFTER: Final = frozenset({"", ";", ",", *_VALUES, "PARTITION", "REMOVE"})


def change(session: Session, sql: str) -> Way:
    """Run a statement with the cheapest algorithm and lock that the server supports; return both.

    Raises `pymysql.MySQLError` if the server refuses the statement in every way.
    """
    usual = usual_algorithm(session)
    for way, text in _attempts(sql, usual):
        if way.algorithm == "NOCOPY" and not session.is_mariadb:
            continue
        try:
            session.run(text)
        except pymysql.MySQLError as error:
            if code_of(error) in _NO_SUCH_CLAUSE:
                break
            if code_of(error) not in _UNSUPPORTED:
                raise
        else:
            return way
    session.run(sql)
    own = written(sql)
    return replace(own, algorithm=own.algorithm or usual)


def usual_algorithm(session: Session) -> str:
    """Return the algorithm that the session's settings require without a clause, or ''.

    MariaDB has alter_algorithm, which newer versions ignore. MySQL has old_alter_table.
    """
    if not session.is_mariadb:
        ((old,),) = session.rows("SELECT @@SESSION.old_alter_table")
        return "COPY" if old else ""
    numbers = re.findall(r"\d+", session.version)
    if tuple(map(int, numbers[:2])) >= _IGNORES_SETTING:
        return ""
    ((usual,),) = session.rows("SELECT @@SESSION.alter_algorithm")
    return "" if usual == "DEFAULT" else str(usual)


def written(sql: str) -> Way:
    """Return the algorithm and the lock that a statement itself requires."""
    words = [*outer_words(sql), ""]
    found = dict.fromkeys(_VALUES, "")
    for (name, value), after in zip(pairwise(words), words[2:], strict=False):
        if value in _VALUES.get(name, ()) and after in _AFTER:
            found[name] = "" if value == "DEFAULT" else value
    return Way(found["ALGORITHM"], found["LOCK"])


def _attempts(sql: str, usual: str) -> Iterator[tuple[Way, str]]:
    """Yield the statement with each ALGORITHM and LOCK that its own clauses allow.

    `usual` is the algorithm that the session requires if the statement has no clause, or ''.
    """
    own, (text, separator) = written(sql), _extended(sql)
    if not separator:
        return
    own = replace(own, algorithm=own.algorithm or usual)
    for way in _WAYS:
        if own.algorithm not in {"", way.algorithm} or own.lock not in {"", way.lock}:
            continue
        added = Way("" if own.algorithm else way.algorithm, "" if own.lock else way.lock)
        yield way, f"{text}\n{added.options(separator)}" if added != Way() else text


def _extended(sql: str) -> tuple[str, str]:
    """Return the SQL to which clauses are added, and the separator ('' if none can be added)."""
    text = sql.strip()
    if _ALTER.match(text):
        return text, ", "
    if _CREATE_INDEX.match(text):
        return text, " "
    if found := _DROP_INDEX.match(text):
        exists = found["exists"] or ""
        return f"ALTER TABLE {found['table']} DROP INDEX {exists}{found['index']}", ", "
    return text, ""
