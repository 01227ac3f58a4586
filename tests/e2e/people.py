"""People of the marketplace as the tests of whole journeys meet them, through the gateway."""

from __future__ import annotations

import asyncio
import email
import email.policy
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from aiohttp import ClientSession, ClientWebSocketResponse

_PASSWORD = "Lanterns-over-9-harbours"
_TOKEN = re.compile(r"https?://\S+/verify-email#token=([\w-]+)")


@dataclass
class Person:
    """Somebody with an address who asks the gateway; paths begin behind `/api/`."""

    http: ClientSession
    name: str
    email: str
    id: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    async def ask(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        """Return the status and the JSON of an answer."""
        async with self.http.request(
            method, f"/api/{path}", json=body, headers={**self.headers, **(headers or {})}
        ) as answer:
            return answer.status, await answer.json() if await answer.read() else None

    async def get(self, path: str) -> Any:
        """Return the data at a path that is there."""
        return await self._done("GET", path, None, 200)

    async def post(self, path: str, body: Any, *, expect: int = 201, **headers: str) -> Any:
        """Return the data of what was added; `idempotency_key="…"` becomes a header."""
        spelled = {name.replace("_", "-").title(): value for name, value in headers.items()}
        return await self._done("POST", path, body, expect, spelled)

    async def patch(self, path: str, body: Any) -> Any:
        """Return the data of what was changed, whatever version it had."""
        return await self._done("PATCH", path, body, 200, {"If-Match": "*"})

    async def is_refused(self, method: str, path: str, body: Any = None, **headers: str) -> str:
        """Return status and code of a refusal, such as `404 NOT_FOUND`."""
        status, answer = await self.ask(method, path, body, headers)
        assert not answer["success"], answer
        return f"{status} {answer['error']['code']}"

    async def joins(self, as_: str, mails: Path, **more: str) -> None:
        """Register, confirm what the mail asks for and sign in."""
        new = {
            "email": self.email,
            "first_name": self.name,
            "last_name": "Journey",
            "phone_number": "+4930123456",
            "password": _PASSWORD,
            **more,
        }
        self.id = (await self.post(f"users/v1/auth/register/{as_}", new))["id"]
        token = {"token": await self._token(mails)}
        status, answer = await self.ask("POST", "users/v1/auth/verify", token)
        assert status == 204, answer
        login = {"email": self.email, "password": _PASSWORD}
        session = await self.post("users/v1/auth/login", login, expect=200)
        self.headers["Authorization"] = f"Bearer {session['access_token']}"

    async def points(self) -> tuple[int, list[str]]:
        """Return the points and what they are for."""
        found = await self.get("users/v1/users/me/points")
        return found["points"], [f"{e['amount']} {e['reason']}" for e in found["entries"]]

    @asynccontextmanager
    async def in_channel(self, channel_id: str) -> AsyncIterator[Conversation]:
        """Open a socket and follow a channel from its beginning."""
        async with self.http.ws_connect(
            "/api/chats/v1/ws", headers=self.headers, protocols=("chat.v1",)
        ) as socket:
            talk = Conversation(socket, self.id, channel_id)
            await talk.frame("ready")
            await socket.send_json({"type": "resume", "channels": {channel_id: 0}})
            await talk.frame("resumed")
            yield talk

    async def _done(
        self, method: str, path: str, body: Any, expect: int, headers: Any = None
    ) -> Any:
        status, answer = await self.ask(method, path, body, headers)
        assert status == expect, f"{self.name}: {method} {path}: {status} {answer}"
        return answer["data"]

    async def _token(self, mails: Path) -> str:
        async with asyncio.timeout(20):
            while True:
                for path in mails.glob("*.eml"):
                    mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
                    text = mail.get_body(("plain",))
                    if (
                        mail["To"] == self.email
                        and text
                        and (m := _TOKEN.search(text.get_content()))
                    ):
                        return m[1]
                await asyncio.sleep(0.05)


@dataclass
class Conversation:
    """One person's end of a channel."""

    socket: ClientWebSocketResponse
    me: str
    channel_id: str

    async def says(self, text: str) -> None:
        """Say something; return when it is stored."""
        client_id = str(uuid4())
        await self.socket.send_json(
            {"type": "send", "client_id": client_id, "channel_id": self.channel_id, "text": text}
        )
        assert (await self.frame("ack"))["client_id"] == client_id

    async def hears(self) -> str:
        """Return what the other one says next."""
        while (said := await self.frame("message"))["author_id"] == self.me:
            pass  # one's own words are told to one's other sockets, too
        return str(said["text"])

    async def frame(self, type_: str) -> Any:
        """Return the next frame of a type."""
        while (frame := await self.socket.receive_json(timeout=20))["type"] != type_:
            assert frame["type"] != "error", frame
        return frame


def somebody(http: ClientSession, name: str) -> Person:
    """Return somebody whose address nobody else has."""
    return Person(http, name, f"{name.lower()}.{uuid4().hex[:12]}@example.com")
