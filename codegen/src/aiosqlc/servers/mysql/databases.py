"""Create and drop the compiler's databases on a shared server.

The compiler recognizes its databases by a random name and a marker table.
"""

from __future__ import annotations

import re
import secrets

import pymysql

from aiosqlc.servers.mysql.session import Session

MARK = "aiosqlc_scratch"
"""The table that marks a database of the compiler. The table is not part of the schema."""
_NAME = re.compile(r"aiosqlc_[0-9a-f]{16}")
_ABANDONED = "1 DAY"  # the creator of such an old database was killed
_ABSENT = {(1049,), (1146,), (1044,), (1142,)}


def make(session: Session) -> tuple[str, str]:
    """Create an empty database with a new name; return the name and the database's marker."""
    name, mark = f"aiosqlc_{secrets.token_hex(8)}", secrets.token_hex(16)
    session.run(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")  # fails if the database exists
    session.run(f"CREATE TABLE `{name}`.`{MARK}` (mark char(32) NOT NULL, made datetime NOT NULL)")
    session.run(f"INSERT INTO `{name}`.`{MARK}` VALUES ('{mark}', UTC_TIMESTAMP())")  # noqa: S608 - generated names
    return name, mark


def drop(session: Session, name: str, mark: str) -> None:
    """Drop a database if it contains a given marker."""
    if _carries(session, name, f"mark = '{mark}'"):
        session.run(f"DROP DATABASE `{name}`")


def drop_abandoned(session: Session) -> None:
    """Drop the databases of compiler processes that were killed."""
    names = [row[0] for row in session.rows("SHOW DATABASES") if _NAME.fullmatch(row[0])]
    for name in names:
        if _carries(session, name, f"made < UTC_TIMESTAMP() - INTERVAL {_ABANDONED}"):
            session.run(f"DROP DATABASE IF EXISTS `{name}`")


def _carries(session: Session, name: str, condition: str) -> bool:
    try:
        return bool(session.rows(f"SELECT 1 FROM `{name}`.`{MARK}` WHERE {condition}"))  # noqa: S608 - generated names
    except pymysql.MySQLError as error:
        if error.args[:1] in _ABSENT:
            return False
        raise
