"""Limit the number of open sockets of this process, and close them all at shutdown."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Final
from uuid import UUID

from aiohttp import web

from lib.errors import AppError, Code
from services.chat.model.closing import Close
from services.chat.ws.socket import Socket


class Sockets:
    """Limit the sockets per user, per address and in total."""

    def __init__(self, *, per_user: int, per_address: int, most: int) -> None:
        self._per_user = per_user
        self._per_address = per_address
        self._most = most
        self._count = 0
        self._closed = False
        # Oldest first.
        self._by_user: dict[UUID, list[Socket]] = {}
        self._by_address: Counter[str] = Counter()

    @contextmanager
    def holding(self, socket: Socket, address: str) -> Iterator[None]:
        """Count a socket as open while the block runs. If the user has too many, close the oldest.

        Raises:
            AppError: SERVICE_UNAVAILABLE if the process has reached its limit of sockets;
                RATE_LIMIT_EXCEEDED if the address has.
        """
        if self._closed or self._count >= self._most:
            raise AppError(
                Code.SERVICE_UNAVAILABLE, "no more connections", headers={"Retry-After": "5"}
            )
        if self._by_address[address] >= self._per_address:
            raise AppError(
                Code.RATE_LIMIT_EXCEEDED,
                "too many connections from this address",
                headers={"Retry-After": "5"},
            )
        mine = self._by_user.setdefault(socket.user_id, [])
        staying = [one for one in mine if not one.is_leaving]
        if len(staying) >= self._per_user:
            staying[0].close(Close.REPLACED)
        mine.append(socket)
        self._count += 1
        self._by_address[address] += 1
        try:
            yield
        finally:
            self._count -= 1
            self._by_address[address] -= 1
            if not self._by_address[address]:
                del self._by_address[address]
            mine.remove(socket)
            if not mine:
                del self._by_user[socket.user_id]

    def __len__(self) -> int:
        return self._count

    def users(self) -> Collection[UUID]:
        """Return the users with a socket in this process."""
        return self._by_user.keys()

    def sessions(self) -> Mapping[UUID, UUID]:
        """Return the sessions whose tokens opened the sockets, each with its user."""
        return {
            socket.session_id: socket.user_id
            for mine in self._by_user.values()
            for socket in mine
            if socket.session_id is not None
        }

    def close_user(self, user_id: UUID, code: Close) -> None:
        """Close all sockets of a user."""
        for socket in tuple(self._by_user.get(user_id, ())):
            socket.close(code)

    def close_sessions(self, user_id: UUID, sessions: Collection[UUID], code: Close) -> None:
        """Close the sockets of a user that the given sessions opened."""
        for socket in tuple(self._by_user.get(user_id, ())):
            if socket.session_id in sessions:
                socket.close(code)

    async def close_all(self, code: Close) -> None:
        """Close every socket and refuse new sockets.

        Return when all sockets are closed, or after the timeout.
        """
        self._closed = True
        closing = [
            task
            for mine in self._by_user.values()
            for socket in mine
            if (task := socket.close(code)) is not None
        ]
        if closing:
            await asyncio.wait(closing)


SOCKETS: Final = web.AppKey("SOCKETS", Sockets)
