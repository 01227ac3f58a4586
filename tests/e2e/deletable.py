"""One deletable resource of each kind, created through the gateway by its owner."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import aiohttp
import pyotp
from yarl import URL

from devstack.testing.wait import eventually
from tests.e2e import people
from tests.e2e.conftest import Stack
from tests.e2e.identity_provider import NAME, IdentityProvider
from tests.services.user.drawings import picture
from tests.services.user.software_key import SoftwareKey

_MINUTES = 480.0
_SIGNED_IN: dict[str, tuple[float, tuple[str, ...]]] = {}


@dataclass(frozen=True)
class Answer:
    """A response of the gateway; an error has a `message`."""

    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def data(self) -> Any:
        assert self.status < 300, self.body
        return self.body["data"]

    @property
    def message(self) -> str:
        return "" if self.status < 300 else self.body["error"]["message"]


@dataclass(frozen=True)
class User:
    """A caller of the gateway."""

    http: aiohttp.ClientSession
    token: str

    async def __call__(
        self,
        method: str,
        path: str,
        json: Any = None,
        *,
        match: str = "",
        headers_more: Mapping[str, str] | None = None,
        **more: Any,
    ) -> Answer:
        headers = {"Authorization": f"Bearer {self.token}"} | dict(headers_more or {})
        if match:
            headers["If-Match"] = match
        where = URL(f"/api/{path}", encoded=True)
        async with self.http.request(method, where, json=json, headers=headers, **more) as answer:
            raw = await answer.read()
            is_json = answer.content_type.endswith("json")
            body = await answer.json() if raw and is_json else raw or None
            return Answer(answer.status, body, answer.headers)

    async def make(self, path: str, **fields: Any) -> str:
        """Return the ID of the resource that `POST` creates."""
        return (await self("POST", path, fields)).data["id"]


def _in(**span: float) -> str:
    return (datetime.now(UTC) + timedelta(**span)).isoformat()


class Deletable:
    """Create the resource for each `DELETE` route; every method returns its path and its owner."""

    def __init__(
        self, stack: Stack, http: aiohttp.ClientSession, identity_provider: IdentityProvider
    ) -> None:
        self._stack = stack
        self._identity_provider = identity_provider
        self._http = http
        self.admin = User(http, stack.authorized()["Authorization"].removeprefix("Bearer "))

    async def start(self) -> None:
        """Sign in a customer, a provider who offers a service, and a stranger."""
        tokens = await self._tokens()
        self.customer, self.stranger, self.provider = (User(self._http, one) for one in tokens)
        self.service = await self._first("catalogs/v1/services")
        self.city = await self._first("orders/v1/cities?search=Berlin")
        self.currency = await self._first("orders/v1/currencies?search=EUR")
        offered = {"service_id": self.service}
        await self.provider("POST", "catalogs/v1/providers/me/services", offered)

    async def _first(self, path: str) -> str:
        return (await self.admin("GET", path)).data[0]["id"]

    async def _tokens(self) -> tuple[str, ...]:
        """Return the tokens of the three users, who are reused for some minutes."""
        until, tokens = _SIGNED_IN.get(self._stack.url, (0.0, ()))
        if time.monotonic() > until:
            kinds = ("customer", "customer", "provider")
            users = await asyncio.gather(*(self.person(kind) for kind in kinds))
            tokens = tuple(user.token for user in users)
            _SIGNED_IN[self._stack.url] = (time.monotonic() + _MINUTES, tokens)
        return tokens

    async def person(self, kind: str = "customer") -> User:
        """Register and sign in another user with a verified address."""
        address = await asyncio.to_thread(people.register, self._stack, kind)
        await asyncio.to_thread(people.prove, self._stack, address)
        return User(self._http, await asyncio.to_thread(people.sign_in, self._stack, address))

    async def category_type(self) -> tuple[str, User]:
        made = await self.admin.make("catalogs/v1/category-types", name=_name())
        return f"catalogs/v1/category-types/{made}", self.admin

    async def category(self) -> tuple[str, User]:
        parent = await self._first("catalogs/v1/category-types")
        made = await self.admin.make("catalogs/v1/categories", name=_name(), type_id=parent)
        return f"catalogs/v1/categories/{made}", self.admin

    async def subcategory(self) -> tuple[str, User]:
        parent = await self._first("catalogs/v1/categories")
        made = await self.admin.make("catalogs/v1/subcategories", name=_name(), category_id=parent)
        return f"catalogs/v1/subcategories/{made}", self.admin

    async def a_service(self) -> tuple[str, User]:
        parent = await self._first("catalogs/v1/subcategories")
        made = await self.admin.make("catalogs/v1/services", name=_name(), subcategory_id=parent)
        return f"catalogs/v1/services/{made}", self.admin

    async def own_service(self) -> tuple[str, User]:
        path, _ = await self.a_service()
        service = path.rpartition("/")[2]
        offered = {"service_id": service}
        assert (
            await self.provider("POST", "catalogs/v1/providers/me/services", offered)
        ).status < 300
        return f"catalogs/v1/providers/me/services/{service}", self.provider

    async def service_of_a_provider(self) -> tuple[str, User]:
        path, _ = await self.own_service()
        me = (await self.provider("GET", "users/v1/users/me")).data["id"]
        return f"catalogs/v1/providers/{me}/services/{path.rpartition('/')[2]}", self.admin

    async def block(self) -> tuple[str, User]:
        job = await self.job()
        found: list[str] = []

        async def opened() -> bool:
            where = f"chats/v1/channels?subject_id={job}"
            found.extend(one["id"] for one in (await self.customer("GET", where)).data)
            return bool(found)

        await eventually(opened, within=30)
        path = f"chats/v1/channels/{found[0]}/block"
        assert (await self.customer("PUT", path)).status == 200
        return path, self.customer

    async def department(self) -> tuple[str, User]:
        made = await self.admin.make("departments/v1/departments", name=_name())
        return f"departments/v1/departments/{made}", self.admin

    async def goods_order(self) -> tuple[str, User]:
        product, _ = await self.product(stock=5)
        line = {"product_id": product.rpartition("/")[2], "quantity": 1}
        made = await self.customer.make("orders/v1/orders", lines=[line])
        return f"orders/v1/orders/{made}", self.admin

    async def a_currency(self) -> tuple[str, User]:
        code = uuid4().hex.translate(str.maketrans("0123456789", "GHIJKLMNOP"))[:3].upper()
        made = await self.admin.make(
            "orders/v1/currencies", currency=_name(), code=code, symbol=code
        )
        return f"orders/v1/currencies/{made}", self.admin

    async def a_city(self) -> tuple[str, User]:
        made = await self.admin.make(
            "orders/v1/cities", name=_name(), country="Belgium", iso2="BE",
            location={"longitude": 3.7, "latitude": 51.0},
        )  # fmt: skip
        return f"orders/v1/cities/{made}", self.admin

    async def service_order(self) -> tuple[str, User]:
        return f"orders/v1/service-orders/{await self.order()}", self.customer

    async def offer(self) -> tuple[str, User]:
        offer, _ = await self.offered()
        return f"orders/v1/offers/{offer}", self.provider

    async def cancelled_job(self) -> tuple[str, User]:
        path = f"orders/v1/jobs/{await self.job()}"
        assert (await self.customer("PATCH", path, {"status": "CANCELLED"})).status == 200
        return path, self.admin

    async def review(self) -> tuple[str, User]:
        job = await self.job()
        for who, status in ((self.provider, "IN_PROGRESS"), (self.customer, "COMPLETED")):
            done = await who("PATCH", f"orders/v1/jobs/{job}", {"status": status})
            assert done.status == 200, done.body
        made = await self.customer.make("orders/v1/reviews", job_id=job, rating=4)
        return f"orders/v1/reviews/{made}", self.customer

    async def product(self, *, stock: int = 0) -> tuple[str, User]:
        made = await self.admin.make(
            "products/v1/products", name=_name(), price="1.00", currency="EUR", stock=stock,
            status="active",
        )  # fmt: skip
        return f"products/v1/products/{made}", self.admin

    async def session(self) -> tuple[str, User]:
        user = await self.person()
        (mine,) = (await user("GET", "users/v1/auth/sessions")).data
        return f"users/v1/auth/sessions/{mine['id']}", user

    async def totp(self) -> tuple[str, User]:
        user = await self.person()
        await self.enrol(user)
        return "users/v1/auth/totp", user

    async def passkey(self) -> tuple[str, User]:
        user, key = await self.person(), SoftwareKey(self._stack.url)
        options = (await user("POST", "users/v1/auth/passkeys/options")).data
        given = {"name": "A key in software", "credential": key.create(options)}
        assert (await user("POST", "users/v1/auth/passkeys", given)).status == 201
        return f"users/v1/auth/passkeys/{key.id.hex()}", user

    async def identity(self) -> tuple[str, User]:
        user = await self.person()
        links = f"users/v1/users/me/identities/{NAME}"
        started = await user("POST", f"{links}/start", {})
        back = self._identity_provider.authorize(started.data["url"])
        cookie = {"Cookie": started.headers["Set-Cookie"].partition(";")[0]}
        linked = await user("POST", links, back, headers_more=cookie)
        return f"users/v1/users/me/identities/{linked.data['id']}", user

    async def factors_of_a_user(self) -> tuple[str, User]:
        user = await self.person()
        await self.enrol(user)
        me = (await user("GET", "users/v1/users/me")).data["id"]
        return f"users/v1/users/{me}/second-factor", self.admin

    async def user(self, alias: str = "users") -> tuple[str, User]:
        user = await self.person()
        me = (await user("GET", "users/v1/users/me")).data["id"]
        return f"users/v1/{alias}/{me}", user

    async def user_by_the_former_name(self) -> tuple[str, User]:
        return await self.user("user")

    async def picture(self) -> tuple[str, User]:
        path, user = await self.user()
        form = aiohttp.FormData()
        form.add_field("image", picture(), filename="me.jpg", content_type="image/jpeg")
        assert (await user("PUT", f"{path}/picture", data=form)).status < 300
        return f"{path}/picture", user

    async def role(self) -> tuple[str, User]:
        name = f"R_{uuid4().hex[:8].upper()}"
        body = {"name": name, "kind": "STAFF", "description": "A role", "permissions": []}
        assert (await self.admin("POST", "users/v1/roles", body)).status == 201
        return f"users/v1/roles/{name}", self.admin

    async def permission(self) -> tuple[str, User]:
        name = f"tests:p{uuid4().hex[:8]}"
        body = {"name": name, "description": "A permission"}
        made = await self.admin("POST", "users/v1/permissions", body)
        assert made.status < 300, made.body
        return f"users/v1/permissions/{name}", self.admin

    async def order(self, by: User | None = None) -> str:
        """Return a new service order of the customer, or of another user."""
        return await (by or self.customer).make(
            "orders/v1/service-orders", service_id=self.service, description="It drips.",
            location={"longitude": 13.45, "latitude": 52.47},
            time_start=_in(hours=24), time_end=_in(hours=32),
        )  # fmt: skip

    async def offered(self) -> tuple[str, str]:
        """Return an offer of the provider, and its service order."""
        order = await self.order()
        offer = await self.provider.make(
            "orders/v1/offers", order_id=order, price="85.00", currency_id=self.currency,
            book_time=_in(hours=26),
        )  # fmt: skip
        return offer, order

    async def job(self) -> str:
        """Return a job of the customer and the provider."""
        offer, _ = await self.offered()
        return await self.customer.make(
            "orders/v1/jobs", offer_id=offer, price="85.00", currency="EUR"
        )

    async def enrol(self, user: User) -> str:
        """Add an authenticator; return its secret."""
        secret = (await user("POST", "users/v1/auth/totp")).data["secret"]
        code = {"code": pyotp.TOTP(secret).at(int(time.time()))}
        assert (await user("POST", "users/v1/auth/totp/confirm", code)).status == 200
        return str(secret)


def _name() -> str:
    return f"Deletable {uuid4().hex[:12]}"


@asynccontextmanager
async def deletable(stack: Stack, identity_provider: IdentityProvider) -> AsyncIterator[Deletable]:
    """Sign in the users who own the resources to delete."""
    async with aiohttp.ClientSession(stack.url) as http:
        world = Deletable(stack, http, identity_provider)
        await world.start()
        yield world
