"""The user service with its database, its emails and a caller, for tests of accounts."""

from __future__ import annotations

import asyncio
import email
import email.policy
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg

from devstack.testing.wait import DEADLINE, eventually
from tests.rows.user.factory import Factory
from tests.services.running import running_user

AUTH = "/api/v1/auth"
PASSWORD = "correct-horse-7"
_TOKEN = re.compile(r"token=([\w-]+)")


@dataclass
class Answer:
    status: int
    body: Any
    headers: Any
    cookies: Any

    @property
    def data(self) -> Any:
        return self.body["data"]

    @property
    def code(self) -> str:
        return self.body["error"]["code"]

    @property
    def message(self) -> str:
        return self.body["error"]["message"]

    @property
    def fields(self) -> set[str]:
        return {detail["field"] for detail in self.body["error"].get("details", ())}


@dataclass
class World:
    http: aiohttp.ClientSession
    db: asyncpg.Connection
    mails: Path
    read: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.rows = Factory(self.db)

    async def call(self, method: str, path: str, json: Any = None, **more: Any) -> Answer:
        async with self.http.request(method, path, json=json, **more) as response:
            raw = await response.read()
            body = await response.json(content_type=None) if raw else None
            return Answer(response.status, body, response.headers, response.cookies)

    async def post(self, name: str, json: Any = None, **more: Any) -> Answer:
        return await self.call("POST", f"{AUTH}/{name}", json, **more)

    async def register(self, address: str = "ann@example.com", **fields: Any) -> Answer:
        return await self.post("register/customer", person(email=address, **fields))

    async def login(
        self, address: str = "ann@example.com", password: str = PASSWORD, **more: Any
    ) -> Answer:
        return await self.post("login", {"email": address, "password": password}, **more)

    async def signed_up(self, address: str = "ann@example.com") -> Any:
        """Return the session of a new user."""
        assert (await self.register(address)).status == 201
        answer = await self.login(address)
        assert answer.status == 200, answer.body
        return answer.data

    async def proved(self, address: str = "ann@example.com") -> Any:
        """Return the session of a new user whose address is verified."""
        assert (await self.register(address)).status == 201
        verified = "UPDATE account SET verified = true WHERE email = $1"
        await self.db.execute(verified, address)
        answer = await self.login(address)
        assert answer.status == 200, answer.body
        return answer.data

    async def mail(self, subject: str, to: str = "ann@example.com") -> str:
        """Return the text of the next unread email, after it has arrived."""
        async with asyncio.timeout(DEADLINE):
            while True:
                for path in sorted(self.mails.glob("*.eml")):
                    message = email.message_from_bytes(
                        path.read_bytes(), policy=email.policy.default
                    )
                    known = path.name in self.read
                    if not known and (message["Subject"], message["To"]) == (subject, to):
                        self.read.add(path.name)
                        return message.get_body(("plain",)).get_content()
                await asyncio.sleep(0.02)

    async def token(self, subject: str, to: str = "ann@example.com") -> str:
        """Return the token of the link in the next unread email."""
        found = _TOKEN.search(await self.mail(subject, to))
        assert found
        return found[1]

    async def until_mails_are_sent(self) -> None:
        """Wait until the outbox is empty."""
        waiting = "SELECT count(*) FROM mail_outbox WHERE sent_at IS NULL AND failed_at IS NULL"

        async def are_sent() -> bool:
            return await self.db.fetchval(waiting) == 0

        await eventually(are_sent)

    async def audited(self, action: str) -> int:
        return await self.db.fetchval("SELECT count(*) FROM audit_entry WHERE action = $1", action)


def person(**fields: Any) -> dict[str, Any]:
    """Return a valid registration, changed by `fields`; a field that is None is left out."""
    whole = {
        "email": "ann@example.com",
        "phone_number": "995555123456",
        "first_name": "Ann",
        "last_name": "O'Neil",
        "password": PASSWORD,
    }
    return {name: value for name, value in (whole | fields).items() if value is not None}


def bearer(session: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {session['access_token']}"}


@asynccontextmanager
async def running_world(url: str, mails: Path, **settings: Any) -> AsyncIterator[World]:
    given: dict[str, Any] = {"mail_folder": mails, "rate_limit_burst": 10_000}
    async with (
        running_user(url, "127.0.0.1:1", **(given | settings)) as base,
        # No cookies unless a test sends them.
        aiohttp.ClientSession(base, cookie_jar=aiohttp.DummyCookieJar()) as http,
    ):
        db = await asyncpg.connect(url)
        try:
            yield World(http, db, mails)
        finally:
            await db.close()
