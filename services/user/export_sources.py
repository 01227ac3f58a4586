"""Collect the data that other services hold about an account, with a token of the account."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from uuid import UUID

from msgspec import Struct

from lib.auth import Issuer, Role
from lib.errors import AppError, Code
from lib.http.client import HttpClient, open_client
from lib.log import get_logger
from lib.resilience import Upstream
from services.user.config import UserConfig
from services.user.ports import Elsewhere, ExportedChannel, Points

log = get_logger(__name__)

_PAGE: Final = 100
# A limit of a million items, which no user has: an endless list must not be read for ever.
_MOST_PAGES: Final = 10_000
# Name in the export → list of the order service. Each shows a caller their own, whatever they are.
_LISTS: Final = {
    "goods": "orders",
    "service_orders": "customers/me/service-orders",
    "jobs_as_customer": "customers/me/jobs",
    "reviews_as_customer": "customers/me/reviews?direction=written",
    "offers": "providers/me/offers",
    "jobs_as_provider": "providers/me/jobs",
    "reviews_as_provider": "providers/me/reviews?direction=written",
}


class _History(Struct, frozen=True):  # with chat
    messages: list[dict[str, Any]]
    next_before: UUID | None


@dataclass(frozen=True, slots=True)
class HttpOthers:
    """The implementation of `ports.Others` that calls the other services over HTTP."""

    points: Points
    order: HttpClient
    chat: HttpClient  # with chat
    issuer: Issuer

    async def collect(self, account_id: UUID) -> Elsewhere:
        """Return all data that the other services hold about an account.

        Services that do not respond are listed by name.
        """
        # Nothing of the caller's permissions: with them, lists show other people's things, too.
        token = self.issuer.issue(str(account_id), [Role.CUSTOMER, Role.PROVIDER], ()).token
        asked = {"Authorization": f"Bearer {token}"}
        missing: list[str] = []

        async def unless_away(name: str, work: Awaitable[Any], otherwise: Any) -> Any:
            try:
                return await work
            except AppError as error:
                log.warning("export_incomplete", upstream=name, reason=error.code)
                missing.append(name)
                return otherwise

        return Elsewhere(
            points=await unless_away("point", self._ledger(account_id), []),
            orders=await unless_away("order", self._orders(asked), {}),
            chats=await unless_away("chat", self._chats(asked), []),  # with chat
            missing=missing,
        )

    async def _ledger(self, account_id: UUID) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        after: UUID | None = None
        for _ in range(_MOST_PAGES):
            entries = await self.points.ledger(account_id, after=after, limit=_PAGE)
            found += [
                {name: getattr(entry, name) for name in entry.__struct_fields__}
                for entry in entries
            ]
            if len(entries) < _PAGE:
                break
            after = entries[-1].id
        return found

    async def _orders(self, asked: Mapping[str, str]) -> dict[str, list[dict[str, Any]]]:
        found = {name: await self._list(self.order, path, asked) for name, path in _LISTS.items()}
        return found | {"works_from": await self._location(asked)}

    async def _location(self, asked: Mapping[str, str]) -> list[dict[str, Any]]:
        path = "/api/v1/providers/me/location"
        try:
            return [await self.order.call("GET", path, dict[str, Any], headers=asked)]
        except AppError as error:
            if error.code is Code.NOT_FOUND:
                return []
            raise

    async def _chats(self, asked: Mapping[str, str]) -> list[ExportedChannel]:  # with chat
        channels = await self._list(self.chat, "channels", asked)
        return [
            ExportedChannel(one, await self._messages(str(one["id"]), asked)) for one in channels
        ]

    async def _messages(  # with chat
        self, channel: str, asked: Mapping[str, str]
    ) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        query = {"limit": str(_PAGE)}
        for _ in range(_MOST_PAGES):
            path = f"/api/v1/channels/{channel}/messages"
            part = await self.chat.call("GET", path, _History, query=query, headers=asked)
            found += part.messages
            if part.next_before is None:
                break
            query["before"] = str(part.next_before)
        return found

    async def _list(
        self, client: HttpClient, path: str, asked: Mapping[str, str]
    ) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        path, _, more = path.partition("?")
        for page in range(1, _MOST_PAGES + 1):
            query = {"page": str(page), "page_size": str(_PAGE)}
            query |= dict(pair.split("=") for pair in more.split("&") if pair)
            part: Sequence[dict[str, Any]] = await client.call(
                "GET", f"/api/v1/{path}", list[dict[str, Any]], query=query, headers=asked
            )
            found += part
            if len(part) < _PAGE:
                break
        return found


@asynccontextmanager
async def open_others(
    config: UserConfig, points: Points, issuer: Issuer
) -> AsyncIterator[HttpOthers]:
    """Open the clients of the other services. Each service may start after this process."""
    open_one = partial(open_client, seconds=config.export_seconds, connections=5)
    async with (
        open_one(Upstream("order"), config.order_url) as order,
        open_one(Upstream("chat"), config.chat_url) as chat,  # with chat
    ):
        yield HttpOthers(
            points=points,
            order=order,
            chat=chat,  # with chat
            issuer=issuer,
        )
