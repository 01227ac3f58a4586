"""Map error numbers of MySQL and MariaDB to application errors."""

from __future__ import annotations

import re

import pymysql

from lib.db.errors import (
    CheckViolationError,
    DatabaseUnavailableError,
    ForeignKeyViolationError,
    SerializationFailureError,
    StatementTimeoutError,
    UniqueViolationError,
)
from lib.errors import AppError, Code

DRIVER_FAILURES = (pymysql.MySQLError, OSError, EOFError, TimeoutError)

_DUPLICATE = frozenset({1062, 1586})
_FOREIGN = frozenset({1216, 1217, 1451, 1452})
_CHECK = frozenset({3819, 4025})
_RACE = frozenset({1020, 1213})
_TIMEOUT = frozenset({1205, 1317, 1969, 3024})
# Full, stopping, not there, gone, or ended by an administrator.
_UNAVAILABLE = frozenset(
    {1040, 1053, 1080, 1152, 1158, 1159, 1160, 1161, 1203, 1226, 1927, 2002, 2003, 2006, 2013, 4031}
)
# Nothing can be written: no place on the disk or in memory, or another server is the primary.
_UNWRITABLE = frozenset({1021, 1037, 1038, 1041, 1114, 1290, 1792, 1836})
_BAD_TEXT = frozenset({1366, 1300, 3854})
_KEY = re.compile(r"for key '(?:[^'.]+\.)?(?P<name>[^']+)'$")
_FOREIGN_NAME = re.compile(r"CONSTRAINT `(?P<name>[^`]+)`")
_CHECK_NAME = re.compile(r"(?:CONSTRAINT|constraint) [`'](?P<name>[^`']+)[`']")


def translate(error: BaseException) -> BaseException:
    """Return the application error for a driver's exception, or an unknown exception unchanged."""
    if isinstance(error, TimeoutError):
        return StatementTimeoutError()
    if isinstance(error, OSError | EOFError | pymysql.InterfaceError):
        return DatabaseUnavailableError()
    if not isinstance(error, pymysql.MySQLError):
        return error
    return _by_number(error) or error


def _by_number(error: Exception) -> AppError | None:
    code = error.args[0] if error.args else 0
    text = str(error.args[-1]) if error.args else ""
    if code in _DUPLICATE:
        return UniqueViolationError(_name(_KEY, text))
    if code in _FOREIGN:
        return ForeignKeyViolationError(_name(_FOREIGN_NAME, text))
    if code in _CHECK:
        return CheckViolationError(_name(_CHECK_NAME, text))
    if code in _RACE:
        return SerializationFailureError()
    if code in _TIMEOUT:
        return StatementTimeoutError()
    if code in _UNAVAILABLE or code in _UNWRITABLE:
        return DatabaseUnavailableError()
    if code in _BAD_TEXT:
        return AppError(Code.BAD_REQUEST, "a text contains a character that cannot be stored")
    return None


def _name(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found["name"] if found else ""
