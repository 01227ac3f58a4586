"""A NATS client that connects on demand, reconnects, and never logs a password."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

from nats.aio.client import Client
from nats.errors import Error, SecureConnRequiredError

from lib.log import get_logger
from lib.nats.url import NatsAddress

log = get_logger(__name__)

_CONNECT_SECONDS: Final = 3
# A server that hangs is left after twice this.
_PING_SECONDS: Final = 2
_WAIT_SECONDS: Final = 0.25


class _Client(Client):
    """A client that sends no password if TLS is required and the connection is not encrypted."""

    async def _process_info(self, info: dict[str, Any], initial_connection: bool = False) -> None:
        if initial_connection and "tls" in self.options and not info.get("tls_required"):
            raise SecureConnRequiredError
        await super()._process_info(info, initial_connection)


class Connection:
    """One connection, opened on demand and reopened after a permanent failure."""

    def __init__(self, address: NatsAddress, *, name: str) -> None:
        self._address, self._name = address, name
        self._client: Client | None = None
        self._connecting = asyncio.Lock()

    async def client(self) -> Client:
        """Return the connected client. Calls of its methods wait while it reconnects.

        Raises:
            nats.errors.Error, OSError: if no server is reachable, or all servers refuse the
                connection.
        """
        async with self._connecting:
            if self._client is None or self._client.is_closed:
                self._client = await self._connect()
            return self._client

    async def close(self) -> None:
        """Hang up."""
        if self._client is not None:
            await self._client.close()

    async def _connect(self) -> Client:
        address, client = self._address, _Client()
        failed: list[Exception] = []

        async def fail(error: Exception) -> None:
            # What a server refuses says more than that its connection then broke.
            if not failed or not isinstance(error, OSError):
                failed[:] = [error]
            log.info("nats_error", error=error)

        secured = {"tls": ssl.create_default_context(cafile=address.authority)}
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                await client.connect(
                    servers=list(address.servers),
                    name=self._name,
                    user=address.user,
                    password=address.password,
                    user_credentials=address.credentials,
                    error_cb=fail,
                    inbox_prefix=address.inbox,
                    connect_timeout=_CONNECT_SECONDS,
                    max_reconnect_attempts=-1,
                    reconnect_time_wait=_WAIT_SECONDS,  # type: ignore[arg-type] # it is slept for
                    ping_interval=_PING_SECONDS,
                    **(secured if address.is_tls else {}),  # type: ignore[arg-type] # of one type
                )
        except BaseException as error:
            # What closing says of a connection that is broken already would hide why it is.
            with suppress(OSError, Error):
                await client.close()
            if isinstance(error, TimeoutError):
                raise (failed or [Error("nats: no server responds")])[0] from None
            raise
        return client


@asynccontextmanager
async def connection(address: NatsAddress, *, name: str) -> AsyncIterator[Connection]:
    """Yield a connection, which is closed after the block.

    If no server is available, the first use of the connection raises an exception.
    """
    held = Connection(address, name=name)
    try:
        yield held
    finally:
        await held.close()
