"""What each route costs: processor time, statements, rows, bytes. Printed as a table."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

import aiohttp
import asyncpg

from bench.orders.__main__ import Stack, people, shop
from devstack.settings import service_names
from lib.ids import new_id

CALLERS: Final = 8
ACTIVE: Final = 0.2  # of all users, on a day
PEAK: Final = 3.0  # the busiest hour, in means of the day
# Assumed, in dollars: the order of magnitude of large providers' lists, of 2025.
CORE_MONTH: Final = 0.04 * 730  # with its memory
STORED_MONTH: Final = 0.10  # a gigabyte
SENT: Final = 0.08  # a gigabyte
BUSY: Final = 0.6  # of a core, at the peak
STORED_GB: Final = 154e-6  # of a user, after a year: docs/capacity.md
COPIES: Final = {"redis": 2, "postgres": 2}  # a replica, a standby
REQUESTS: Final = 160
# Sessions with nothing to do tell what they have read and written after ten seconds.
TOLD_SECONDS: Final = 11.0
SERVICES: Final = tuple(service_names())
SHOWN: Final = ("nginx", "redis", "postgres")
TEXT: Final = {"text": "about as long as what one writes to the other, a sentence or so"}
_QUERIES: Final = re.compile(r"^db_query_duration_seconds_count\{.*\} (\S+)$", re.MULTILINE)
_SERVER: Final = """
SELECT
    sum(tup_returned)::float8 AS read,
    sum(tup_inserted + tup_updated + tup_deleted)::float8 AS written,
    (pg_current_wal_insert_lsn() - '0/0')::float8 AS wal
FROM pg_stat_database WHERE datname = ANY ($1)
"""


@dataclass(frozen=True)
class Route:
    """A request as a user sends it."""

    name: str
    method: str
    path: str
    body: Mapping[str, Any] | None = None
    daily: float = 0.0  # how often an active user asks for it on a day: assumed
    times: int = REQUESTS
    callers: int = CALLERS  # at a time
    message: bool = False  # each has an id of its own


class Requests:
    """Sends them, and counts what comes back."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http
        self.received = 0

    async def send(self, route: Route) -> Any:
        """Send one; its data."""
        body = dict(route.body or {}) | ({"client_id": str(new_id())} if route.message else {})
        async with self._http.request(
            route.method,
            route.path,
            json=body if route.method != "GET" else None,
            headers={"Idempotency-Key": str(new_id())},
        ) as answer:
            said = await answer.read()
            if answer.status >= 400:
                raise SystemExit(f"{route.method} {route.path}: {answer.status} {said!r}")
            self.received += len(said)
            return (await answer.json())["data"]

    async def often(self, route: Route) -> None:
        """Send as many as it says, some at a time."""
        left = iter(range(route.times))

        async def caller() -> None:
            for _ in left:
                await self.send(route)

        await asyncio.gather(*(caller() for _ in range(route.callers)))


async def routes_of(http: aiohttp.ClientSession, running: Stack) -> list[Route]:
    """Return what is asked, about what the demo data has and what is added here."""
    products, users = await shop(http, running, 20), await people(http)
    order = {"user_id": users[0], "lines": [{"product_id": products[0], "quantity": 1}]}
    place = Route("place an order", "POST", "/api/orders/v1/orders", order, 0.2, times=80)
    placed = (await Requests(http).send(place))["id"]
    channel = await open_channel(running, own_id(http))  # with chat
    messages = f"/api/chats/v1/channels/{channel}/messages"  # with chat
    password = (running.run / "secrets" / "demo_admin").read_text()
    login = {"email": "admin@example.com", "password": password}
    return [
        Route("sign in", "POST", "/api/users/v1/auth/login", login, 0.1, times=16, callers=1),
        Route("an account", "GET", f"/api/users/v1/users/{users[0]}", daily=2),
        Route("20 products", "GET", "/api/products/v1/products?page_size=20", daily=4),
        Route("a product", "GET", f"/api/products/v1/products/{products[0]}", daily=4),
        Route("20 services", "GET", "/api/catalogs/v1/services?page_size=20", daily=2),
        place,
        Route(
            "20 orders", "GET", f"/api/orders/v1/orders?user_id={users[0]}&page_size=20", daily=1
        ),
        Route("an order", "GET", f"/api/orders/v1/orders/{placed}", daily=1),
        Route("points", "GET", f"/api/users/v1/users/{users[0]}/points", daily=0.5),
        Route("20 messages", "GET", f"{messages}?limit=20", daily=3),  # with chat
        Route("write a message", "POST", messages, TEXT, 5, message=True),  # with chat
        Route("departments", "GET", "/api/departments/v1/departments?page_size=20"),
    ]


def own_id(http: aiohttp.ClientSession) -> str:
    """Whose token it is."""
    payload = http.headers["Authorization"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    return str(claims["sub"])


async def open_channel(running: Stack, user: str) -> UUID:  # with chat
    """Open a channel between somebody and a stranger; its id."""
    channel, stranger = new_id(), new_id()
    database = await asyncpg.connect(running.database("chat"))
    await database.execute(
        "INSERT INTO channel (id, kind, subject_id, customer_id, provider_id)"
        " VALUES ($1, 'order', $2, $3, $4)",
        channel, new_id(), UUID(user), stranger,
    )  # fmt: skip
    await database.executemany(
        "INSERT INTO member (channel_id, user_id) VALUES ($1, $2)",
        [(channel, UUID(user)), (channel, stranger)],
    )
    await database.close()
    return channel


async def counted(http: aiohttp.ClientSession, running: Stack) -> dict[str, float]:
    """What has been counted so far, over all services."""
    queries = 0.0
    for service in SERVICES:
        port = running.ports[f"{service.upper()}_PORT"]
        async with http.get(f"http://127.0.0.1:{port}/metrics") as answer:
            queries += sum(float(one) for one in _QUERIES.findall(await answer.text()))
    database = await asyncpg.connect(running.database("order"))
    row = await database.fetchrow(_SERVER, list(SERVICES))
    await database.close()
    return {"queries": queries, **row}


async def spent(
    http: aiohttp.ClientSession, running: Stack, work: Awaitable[None]
) -> dict[str, float]:
    """What was used and counted while something was done, and told."""
    before, used = await counted(http, running), running.cpu()
    await work
    processor = running.cpu()
    await asyncio.sleep(TOLD_SECONDS)
    after = await counted(http, running)
    return {name: after[name] - before[name] for name in after} | {
        f"cpu {part}": processor[part] - used[part] for part in processor
    }


COLUMNS: Final = (
    "CPU ms", "services", *SHOWN, "queries", "rows read", "rows written", "WAL kB", "answer kB",
)  # fmt: skip


def costs_of(
    route: Route, found: Mapping[str, float], idle: Mapping[str, float], received: int
) -> list[float]:
    """Return what one request costs, column by column."""
    each = {
        name: max(0.0, value - (0 if name.startswith("cpu ") else idle[name])) / route.times
        for name, value in found.items()
    }
    shown = [each[f"cpu {part}"] * 1000 for part in SHOWN]
    services = sum(each[f"cpu {service}"] for service in SERVICES) * 1000
    counts = [each[name] for name in ("queries", "read", "written")]
    return [
        services + sum(shown), services, *shown, *counts,
        each["wal"] / 1000, received / route.times / 1000,
    ]  # fmt: skip


def row(name: str, cells: Iterable[str | float]) -> str:
    """Return a row of a table."""
    shown = (cell if isinstance(cell, str) else short(cell) for cell in cells)
    return f"| {name} | {' | '.join(shown)} |"


def short(value: float) -> str:
    """Return a number as a table has it."""
    return f"{value:.2g}" if value < 10 else f"{value:,.0f}"


async def tell_routes(running: Stack) -> None:
    """Print a row for each route, less what is counted at rest; then what so many users ask for."""
    async with aiohttp.ClientSession(running.url) as http:
        routes = await routes_of(http, running)
        idle = await spent(http, running, asyncio.sleep(0))
        print(row("a request", COLUMNS) + "\n|" + "---|" * (len(COLUMNS) + 1))
        day, requests = [0.0] * len(COLUMNS), 0.0
        for route in routes:
            await Requests(http).often(replace(route, times=route.callers))  # warm
            asked = Requests(http)
            costs = costs_of(
                route, await spent(http, running, asked.often(route)), idle, asked.received
            )
            print(row(route.name, costs), flush=True)
            day = [sum(both) for both in zip(day, (c * route.daily for c in costs), strict=True)]
            requests += route.daily
    print(row("an active user's day", day))
    print(
        f"\n{row('a second at the peak', ('requests', *COLUMNS))}\n|{'---|' * (len(COLUMNS) + 2)}"
    )
    for users in (10_000, 1_000_000, 100_000_000):
        often = users * ACTIVE * PEAK / 86_400
        print(row(f"{users:,} users", (often * one for one in (requests, *day))))
        spent_on = money(users, dict(zip(COLUMNS, (often * one for one in day), strict=True)))
        print(row("dollars a month", (f"{name} {value:,.0f}" for name, value in spent_on.items())))


def money(users: int, second: Mapping[str, float]) -> dict[str, float]:
    """Return what a month costs by part, given what a second at the peak uses of each column."""
    parts = {
        part: second[part] / 1000 / BUSY * CORE_MONTH * COPIES.get(part, 1)
        for part in ("services", *SHOWN)
    }
    stored = users * STORED_GB * STORED_MONTH * COPIES["postgres"]
    sent = second["answer kB"] / 1e6 / PEAK * 86_400 * 30.4 * SENT
    return parts | {"stored": stored, "sent": sent, "all": sum(parts.values()) + stored + sent}
