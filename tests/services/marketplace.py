"""User, order, chat and point together in this process, and the data that two people create."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

import aiohttp
import asyncpg
from aiohttp import DummyCookieJar
from pydantic import SecretStr
from redis.asyncio import Redis

from devstack.embedded.ports import free_port
from devstack.testing.wait import eventually
from lib.http.server import serve_app
from services.chat import app as chat_app  # with chat
from services.chat.config import ChatConfig  # with chat
from services.order import app as order_app
from services.order.config import OrderConfig
from tests.conftest import NewDatabase
from tests.services.order.marketplace.conftest import BERLIN, new_offer, new_order
from tests.services.order.marketplace.fakes import running_catalog
from tests.services.running import running_point, running_user
from tests.services.searching import rows_of
from tests.services.user.world import World, bearer, person

DATABASES = (
    "user",
    "order",
    "chat",  # with chat
    "point",
)
# What there is to find of Ann, in any spelling that tables and streams have for it.
SAID = "the spare key lies under the blue pot"
NEEDS = "the tap in my bedroom drips"
PRAISE = "he repaired it while I was in hospital"
LONGITUDE, LATITUDE = 13.377704, 52.516275
PERSONAL = {
    "address": "ann.privat@example.com",
    "phone": "995555987654",
    "last name": "Zwiebelturm",
    "chat": "blue pot",  # with chat
    "description": "bedroom",
    "review": "hospital",
    "longitude": "13.3777",
    "latitude": "52.5162",
}


@dataclass
class Marketplace:
    """The services by name, their databases and their Redis."""

    urls: Mapping[str, str]
    databases: Mapping[str, str]
    redis: Redis
    world: World

    async def call(
        self, service: str, method: str, path: str, session: Any, json: Any = None, status: int = 0
    ) -> Any:
        """Return the data of the response, which must have `status` if it is given."""
        url = f"{self.urls[service]}/api/v1/{path}"
        answer = await self.world.call(method, url, json, headers=bearer(session))
        assert answer.status == status or not status, answer.body
        return None if answer.body is None else answer.body.get("data")

    async def signed_in(self, address: str, **fields: Any) -> Any:
        """Register a customer, verify the address, and sign in."""
        world = self.world
        answer = await world.post("register/customer", person(email=address, **fields))
        assert answer.status == 201, answer.body
        await world.db.execute("UPDATE account SET verified = true WHERE email = $1", address)
        return (await world.login(address)).data

    async def provider(self, address: str) -> Any:
        given = person(email=address, personal_id_number=f"{crc32(address.encode()):011}")
        answer = await self.world.post("register/provider", given)
        assert answer.status == 201, answer.body
        await self.world.db.execute("UPDATE account SET verified = true WHERE email = $1", address)
        return (await self.world.login(address)).data

    async def ordered(self, ann: Any, bob: Any) -> str:
        """Let Bob repair Ann's tap, write a message and get a good review; return the job."""
        place = {"longitude": LONGITUDE, "latitude": LATITUDE}
        wanted = new_order(location=place, description=NEEDS)
        order = await self.call("order", "POST", "service-orders", ann, wanted, 201)
        offer = await self.call("order", "POST", "offers", bob, new_offer(order), 201)
        agreed = {"offer_id": offer["id"], "price": offer["price"], "currency": offer["currency"]}
        job = await self.call("order", "POST", "jobs", ann, agreed, 201)
        for side, status in ((bob, "IN_PROGRESS"), (ann, "COMPLETED")):
            await self.call("order", "PATCH", f"jobs/{job['id']}", side, {"status": status}, 200)
        praise = {"job_id": job["id"], "rating": 5, "comment": PRAISE}
        await self.call("order", "POST", "reviews", ann, praise, 201)
        await self._say(ann, job["id"])  # with chat
        return str(job["id"])

    async def channel(self, session: Any, job: str) -> str:  # with chat
        """Wait until a job has a channel; return its ID."""
        found: list[Any] = []

        async def has_channel() -> bool:
            found[:] = await self.call("chat", "GET", f"channels?subject_id={job}", session)
            return bool(found)

        await eventually(has_channel)
        return str(found[0]["id"])

    async def _say(self, session: Any, job: str) -> None:  # with chat
        said = {"client_id": "1", "text": SAID}
        path = f"channels/{await self.channel(session, job)}/messages"
        await self.call("chat", "POST", path, session, said, 201)

    async def works_from(self, provider: Any) -> None:
        """Set the workplace of a provider to the place where Ann lives."""
        body = {
            "city_id": BERLIN,
            "location": {"longitude": LONGITUDE, "latitude": LATITUDE},
            "address": "3 Zwiebelturm Street",
        }
        await self.call("order", "POST", "providers/me/location", provider, body, 201)

    async def traces(self, of: Mapping[str, str] = PERSONAL) -> set[tuple[str, str]]:
        """Return the tables and keys that contain data of a user; all are searched."""
        found = set()
        async for place, text in self._everything():
            found |= {(place, what) for what, needle in of.items() if needle in text}
        return found

    async def _everything(self) -> AsyncIterator[tuple[str, str]]:
        for name, url in self.databases.items():
            sql = await asyncpg.connect(url)
            try:
                async for table, row in rows_of(sql):
                    yield f"{name}.{table}", row
            finally:
                await sql.close()
        async for key in self.redis.scan_iter():
            dumped = await _read(self.redis, key)
            yield f"redis {key.decode()}", f"{key.decode()} {dumped!r}"


async def _read(redis: Redis, key: bytes) -> Any:
    readers: dict[bytes, Any] = {
        b"stream": lambda: redis.xrange(key),
        b"hash": lambda: redis.hgetall(key),
        b"string": lambda: redis.get(key),
        b"list": lambda: redis.lrange(key, 0, -1),
        b"set": lambda: redis.smembers(key),
        b"zset": lambda: redis.zrange(key, 0, -1),
    }
    kind = await redis.type(key)
    return None if kind == b"none" else await readers[kind]()


@asynccontextmanager
async def running_marketplace(
    new_database: NewDatabase, redis_url: str, folder: Path, **of_user: Any
) -> AsyncIterator[Marketplace]:
    """Start all services on their own databases."""
    databases = {name: await new_database(name, demo=name == "order") for name in DATABASES}
    shared = {"redis_url": SecretStr(redis_url)}
    limits = {"rate_limit_burst": 100_000, "user_rate_limit": 100_000}
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        redis = await enter(Redis.from_url(redis_url))
        catalog = await enter(running_catalog())
        point = await enter(running_point(databases["point"], **shared))
        order_port = free_port()
        urls = {"order": f"http://127.0.0.1:{order_port}"}
        where = {"order_url": urls["order"]}
        # with chat, from here
        chat_port = free_port()
        urls["chat"] = f"http://127.0.0.1:{chat_port}"
        where["chat_url"] = urls["chat"]
        # with chat, to here
        given = {"mail_folder": folder, **where, **shared, **limits, **of_user}
        urls["user"] = await enter(running_user(databases["user"], point.grpc_address, **given))
        believed = {"auth_jwks_url": f"{urls['user']}/api/v1/auth/jwks.json", **shared, **limits}
        order = OrderConfig(
            _env_file=None, database_url=databases["order"], catalog_url=catalog.url, **believed
        )
        await enter(serve_app(order_app.create_app(order), order, port=order_port))
        # with chat, from here
        chat = ChatConfig(_env_file=None, database_url=databases["chat"], **believed)
        await enter(serve_app(chat_app.create_app(chat), chat, port=chat_port))
        # with chat, to here
        sql = await asyncpg.connect(databases["user"])
        stack.push_async_callback(sql.close)
        http = await enter(aiohttp.ClientSession(urls["user"], cookie_jar=DummyCookieJar()))
        yield Marketplace(urls, databases, redis, World(http, sql, folder))
