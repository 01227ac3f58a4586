"""A browser that signs in at simulated identity providers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.user.routes.identities import COOKIE
from tests.services.user.played_provider import CLIENT, SECRET, Provider, playing
from tests.services.user.world import AUTH, Answer, World, bearer, running_world

LINKS = "/api/v1/users/me/identities"


@dataclass
class Browser:
    """It stores the cookie of its requests; a test can give it another browser's cookie."""

    world: World
    cookies: dict[str, str] = field(default_factory=dict)

    async def post(self, path: str, json: Any, session: Any = None) -> Answer:
        headers = {} if session is None else bearer(session)
        answer = await self.world.call("POST", path, json, headers=headers, cookies=self.cookies)
        if COOKIE in answer.cookies:
            self.cookies = {COOKIE: answer.cookies[COOKIE].value}
        return answer

    async def start(self, name: str = "one", **body: Any) -> str:
        """Return the URL of the provider."""
        answer = await self.post(f"{AUTH}/identity-providers/{name}/start", body)
        assert answer.status == 200, answer.body
        return str(answer.data["url"])

    async def finish(self, back: dict[str, str], name: str = "one") -> Answer:
        return await self.post(f"{AUTH}/identity-providers/{name}/sign-in", back)

    async def sign_in(self, provider: Provider, name: str = "one", **body: Any) -> Answer:
        return await self.finish(provider.authorize(await self.start(name, **body)), name)

    async def start_link(self, session: Any, name: str = "one", **body: Any) -> str:
        answer = await self.post(f"{LINKS}/{name}/start", body, session)
        assert answer.status == 200, answer.body
        return str(answer.data["url"])

    async def link(self, provider: Provider, session: Any, name: str = "one") -> Answer:
        back = provider.authorize(await self.start_link(session, name))
        return await self.post(f"{LINKS}/{name}", back, session)


@dataclass
class Town:
    """The service with two providers: `one` is trusted about addresses, `two` is not."""

    world: World
    one: Provider
    two: Provider

    def browser(self) -> Browser:
        return Browser(self.world)

    async def count(self, table: str) -> int:
        return int(await self.world.db.fetchval(f"SELECT count(*) FROM {table}"))


@asynccontextmanager
async def running_town(url: str, folder: Path, **settings: Any) -> AsyncIterator[Town]:
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(playing())
        two = await stack.enter_async_context(playing())
        given = {
            "oidc_providers": (
                f"one={one.issuer}?client_id={CLIENT}&email=verified,"
                f"two={two.issuer}?client_id={CLIENT}"
            ),
            "oidc_client_secrets": f"one:{SECRET},two:{SECRET}",
            "public_url": "https://shop.example.com",
        }
        world = await stack.enter_async_context(running_world(url, folder, **(given | settings)))
        yield Town(world, one, two)
