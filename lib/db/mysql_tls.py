"""TLS for MySQL: contexts from URLs, and connections that never fall back to plain text."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any

import aiomysql
from pymysql.constants import CLIENT, CR
from pymysql.err import OperationalError

from lib.database_url import VERIFYING, SslMode, mysql_tls
from lib.db.observe import ServerCertificate


def context_of(url: str) -> ssl.SSLContext | None:
    """Return the TLS context that a URL requires, or None.

    Without `ssl-ca`, the system's certificate authorities are trusted.

    Raises:
        ValueError: if a parameter is unknown, or if the file contains no certificates.
    """
    mode, ca = mysql_tls(url)
    if mode is None or mode is SslMode.DISABLED:
        return None
    try:
        context = ssl.create_default_context(cafile=ca)
    except OSError as error:
        raise ValueError(f"ssl-ca must be a file of certificates: {ca}: {error}") from error
    context.check_hostname = mode is SslMode.VERIFY_IDENTITY
    context.verify_mode = ssl.CERT_REQUIRED if mode in VERIFYING else ssl.CERT_NONE
    return context


class _Connection(aiomysql.Connection):  # type: ignore[misc] # the driver ships no types
    """A connection that ends before it sends the user name if the server lacks the required TLS.

    The driver would continue without encryption, and an attacker in the network could cause exactly
    that.
    """

    async def _request_authentication(self) -> None:
        if self._ssl_context and not self.server_capabilities & CLIENT.SSL:
            raise OperationalError(CR.CR_SSL_CONNECTION_ERROR, "the server does not support TLS")
        await super()._request_authentication()

    async def open(self, certificate: ServerCertificate) -> None:
        """Connect, and record the server's certificate in `certificate`.

        Raises the driver's exceptions.
        """
        await self._connect()
        certificate.look(self._writer.transport)

    def is_over(self, recycle: float) -> bool:
        """Return whether the connection was closed by the server or idle for `recycle` seconds."""
        return (
            self._reader.at_eof()
            or self._reader.exception() is not None
            or self._reader.eof_received  # MySQL 8 says why before it hangs up
            or self._loop.time() - self.last_usage > recycle
        )


class Pool(aiomysql.Pool):  # type: ignore[misc] # the driver ships no types
    """A pool of the driver that opens instances of `Connection`."""

    def __init__(self, *arguments: Any, **connecting: Any) -> None:
        super().__init__(*arguments, **connecting)
        self.certificate = ServerCertificate()

    async def fill(self) -> None:
        """Open the minimum number of connections. Raises the driver's exceptions."""
        async with self._cond:
            await self._fill_free_pool(False)

    async def _fill_free_pool(self, override_min: bool) -> None:
        for connection in [each for each in self._free if each.is_over(self._recycle)]:
            self._free.remove(connection)
            connection.close()
        while self.size < self.minsize or (
            override_min and not self._free and self.size < self.maxsize
        ):
            self._acquiring += 1
            try:
                connection = _Connection(loop=self._loop, **self._conn_kwargs)
                await connection.open(self.certificate)
                self._free.append(connection)
                self._cond.notify()
            finally:
                self._acquiring -= 1


async def open_pool(*, minsize: int, maxsize: int, recycle: float, **arguments: Any) -> Pool:
    """Open a pool. A connection idle for `recycle` seconds is replaced.

    Raises the exceptions of the driver.
    """
    pool = Pool(minsize, maxsize, False, recycle, asyncio.get_running_loop(), **arguments)
    await pool.fill()
    return pool
