"""Run yoyo on MySQL with TLS from the database URL, because yoyo cannot verify host names."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode, urlunsplit

from yoyo.backends.core.mysql import MySQLBackend
from yoyo.connections import DatabaseURI, parse_uri

from lib.database_url import SslMode, mysql_tls
from lib.db.mysql_tls import context_of


class _Backend(MySQLBackend):  # type: ignore[misc] # yoyo ships no types
    # Yoyo makes copies of its own from the same two arguments.
    def __init__(self, dburi: DatabaseURI, table: str) -> None:
        url = urlunsplit(("mysql", "", "", urlencode(dburi.args), ""))
        self._tls = context_of(url)
        self._has_none = mysql_tls(url)[0] is SslMode.DISABLED
        super().__init__(dburi, table)

    def connect(self, dburi: Any) -> Any:
        """Connect as the URL requires. If the URL requires TLS, refuse a server without TLS."""
        return self.driver.connect(
            host=dburi.hostname or "127.0.0.1",
            port=dburi.port or 3306,
            user=dburi.username or "root",
            password=dburi.password or "",
            database=dburi.database or None,
            ssl=self._tls,
            ssl_disabled=self._has_none,
        )


def backend(url: str, table: str) -> MySQLBackend:
    """Return a yoyo backend that is connected to the database.

    Raises the exceptions of the driver, and ValueError if the URL has unknown parameters.
    """
    mysql_tls(url)  # before a parameter that is said twice becomes one
    return _Backend(parse_uri(url), table)
