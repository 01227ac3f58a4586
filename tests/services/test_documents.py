"""Each service behaves as its own OpenAPI document states, for all requests."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass

import psycopg
import pytest
import requests
import schemathesis
from aiohttp import web
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    positive_data_acceptance,
)

from devstack.settings import plural_of, service_names
from devstack.testing.auth import TestIssuer
from devstack.testing.postgres import TestPostgres
from devstack.testing.redis import Instance, TestRedis
from devstack.testing.serving import served
from lib.auth import Role
from services.catalog import app as catalog
from services.catalog.config import CatalogConfig
from services.catalog.routes import ROUTES as CATALOG
from services.chat import app as chat  # with chat
from services.chat.config import ChatConfig  # with chat
from services.chat.routes import ROUTES as CHAT  # with chat
from services.department import app as department
from services.department import routes as department_routes
from services.department.config import DepartmentConfig
from services.order import app as order
from services.order.config import OrderConfig
from services.order.goods.routes import ROUTES as GOODS
from services.order.marketplace.routes import ROUTES as MARKETPLACE
from services.product import app as product
from services.product.config import ProductConfig
from services.product.routes import ROUTES as PRODUCT
from tests.conftest import Full
from tests.services.calling import unlimited
from tests.services.catalog import conftest as catalog_world
from tests.services.chat.talking import CUSTOMER, ORDER, PROVIDER  # with chat
from tests.services.documents import (
    MODES,
    Check,
    document,
    documented,
    hold,
    on_a_thread,
    operations,
)
from tests.services.order import conftest as order_world
from tests.services.order.goods.fakes import ALICE, FakeUsers

CHANNEL = "01890000-0000-7000-8000-00000000ca11"  # with chat


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The tested requests of a service, their caller, and the allowed refusals."""

    service: str
    routes: Iterable[web.RouteDef]
    who: Callable[[str, str], tuple[str, Role]]
    permissions: tuple[str, ...] = ()
    excluded: Callable[[str, str, schemathesis.Case, requests.Response], Iterator[Check]]
    examples: int = 40
    prepare: Callable[[schemathesis.Case], None] = lambda _: None


def by_version(_: str, __: str, case: schemathesis.Case, answer: requests.Response):
    # A version that is not the present one is valid, and refused with 412 all the same.
    if "If-Match" in case.headers:
        yield positive_data_acceptance
    if answer.status_code == 304:
        yield content_type_conformance  # of nothing


def by_stock(path: str, method: str, case: schemathesis.Case, _: requests.Response):
    # What these refuse depends on what there is, not on what is said: a version, a stock, a step.
    by_state = {"If-Match", "Idempotency-Key"} & {*case.headers}
    if by_state or method in {"PATCH", "DELETE"} or path == "/api/v1/reservations":
        yield positive_data_acceptance


def of_customers(*_: object):
    # A customer asks for what is not theirs.
    yield positive_data_acceptance


def of_orders(_: str, method: str, case: schemathesis.Case, __: requests.Response):
    if "If-Match" in case.headers or method == "POST":
        yield positive_data_acceptance


def by_rules(path: str, method: str, case: schemathesis.Case, answer: requests.Response):
    # What is well-formed and still no window, no time of a window, or no place on the globe.
    rules = {"/api/v1/service-orders": {"POST", "GET"}, "/api/v1/offers": {"POST"}}
    if method in rules.get(path, ()):
        yield positive_data_acceptance
    yield from by_version(path, method, case, answer)


def of_talk(*_: object):  # with chat
    # What is valid may still be about no message, or a client id that was used before.
    yield positive_data_acceptance


def of_own_talk(*_: object):  # with chat
    # And where the path is put right, what was wrong with the case may have been that.
    yield from (positive_data_acceptance, negative_data_rejection)


def own_channel(case: schemathesis.Case) -> None:  # with chat
    if "id" in case.path_parameters:
        case.path_parameters["id"] = CHANNEL


def in_the_marketplace(path: str, method: str) -> tuple[str, Role]:
    """Return a caller whose requests pass the guards of most routes."""
    if "/providers/me" in path or (path.startswith("/api/v1/offers") and method != "DELETE"):
        return order_world.PROVIDER, Role.PROVIDER
    if "/customers/me" in path or (path, method) == ("/api/v1/service-orders", "POST"):
        return order_world.CUSTOMER, Role.CUSTOMER
    return order_world.PROVIDER, Role.ADMIN


def in_the_catalog(path: str, _: str) -> tuple[str, Role]:
    return catalog_world.PROVIDER, Role.PROVIDER if "/me/" in path else Role.ADMIN


def always(subject: str, role: Role) -> Callable[[str, str], tuple[str, Role]]:
    return lambda *_: (subject, role)


A_CUSTOMER = always(CUSTOMER, Role.CUSTOMER)  # with chat
ASKED = {
    "departments": Asked(
        service="department",
        routes=department_routes.route,
        who=always("clerk", Role.STAFF),
        permissions=("departments:write",),
        excluded=by_version,
        examples=100,
    ),
    "products": Asked(
        service="product",
        routes=PRODUCT,
        who=always("clerk", Role.STAFF),
        excluded=by_stock,
        examples=60,
    ),
    "orders": Asked(
        service="order",
        routes=GOODS,
        who=always(ALICE, Role.ADMIN),
        excluded=of_orders,
    ),
    "orders as a customer": Asked(
        service="order",
        routes=GOODS,
        who=always(ALICE, Role.CUSTOMER),
        excluded=of_customers,
    ),
    "marketplace": Asked(
        service="marketplace",
        routes=MARKETPLACE,
        who=in_the_marketplace,
        excluded=by_rules,
    ),
    "catalog": Asked(
        service="catalog",
        routes=CATALOG,
        who=in_the_catalog,
        excluded=by_version,
    ),
    "chat": Asked(service="chat", routes=CHAT, who=A_CUSTOMER, excluded=of_talk),  # with chat
    # with chat, from here
    "own chat": Asked(
        service="chat",
        routes=CHAT,
        who=A_CUSTOMER,
        excluded=of_own_talk,
        prepare=own_channel,
    ),
    # with chat, to here
}
# A service that make new-service has made, and that has no line of its own above.
_ELSEWHERE = {"marketplace", "point", "user"}  # user: tests/services/user/test_schema.py
for _name in sorted({*service_names()} - {one.service for one in ASKED.values()} - _ELSEWHERE):
    ASKED[plural_of(_name)] = Asked(
        service=_name,
        routes=importlib.import_module(f"services.{_name}.routes").route,
        who=always("clerk", Role.STAFF),
        permissions=(f"{plural_of(_name)}:write",),
        excluded=by_version,
    )
# How many operations each has: none is lost between routes and document.
COUNTS = {
    "departments": 5,
    "products": 12,
    "orders": 6,
    # The 46 of the design, accepting an offer under its own address, the nearest providers, and
    # saying where I work from.
    "marketplace": 50,
    "catalog": 33,
    "chat": 7,  # with chat
}
OPERATIONS = [
    (name, path, method)
    for name, asked in ASKED.items()
    for path, method in operations(asked.routes)
]
Documents = Callable[[str], schemathesis.BaseSchema]


@pytest.fixture(scope="module")
def documents(
    postgres_server: TestPostgres, redis_server: TestRedis | Instance, issuer: TestIssuer
) -> Iterator[Documents]:
    """Return a function that starts a service at its first use and returns its document."""
    read: dict[str, schemathesis.BaseSchema] = {}
    redis = redis_server.url.rpartition("/")[0]

    def application(service: str, url: str) -> web.Application:
        if service == "department":
            return department.create_app(unlimited(DepartmentConfig, url, issuer))
        if service == "product":
            return product.create_app(unlimited(ProductConfig, url, issuer))
        if service == "marketplace":
            return order.create_app(unlimited(OrderConfig, url, issuer))
        if service == "catalog":
            return catalog.create_app(unlimited(CatalogConfig, url, issuer, redis_url=f"{redis}/8"))
        if service == "chat":  # with chat
            _open_channel(url)
            return chat.create_app(unlimited(ChatConfig, url, issuer, redis_url=f"{redis}/10"))
        made = importlib.import_module(f"services.{service}.app")
        config = importlib.import_module(f"services.{service}.config")
        settings = getattr(config, f"{service.title()}Config")
        return made.create_app(unlimited(settings, url, issuer))

    def of(service: str) -> schemathesis.BaseSchema:
        if service not in read:
            database = "order" if service == "marketplace" else service
            url = postgres_server.create(database, demo=service not in ("order", "chat"))
            stack.callback(postgres_server.drop, url)
            running = (
                _orders(url, issuer) if service == "order" else served(application(service, url))
            )
            read[service] = document(stack.enter_context(on_a_thread(running)))
        return read[service]

    with ExitStack() as stack:
        yield of


def _open_channel(url: str) -> None:  # with chat
    with psycopg.connect(url) as connection:
        connection.execute(
            "INSERT INTO channel (id, kind, subject_id, customer_id, provider_id)"
            " VALUES (%s, 'order', %s, %s, %s)",
            (CHANNEL, ORDER, CUSTOMER, PROVIDER),
        )
        for user in (CUSTOMER, PROVIDER):
            connection.execute(
                "INSERT INTO member (channel_id, user_id) VALUES (%s, %s)", (CHANNEL, user)
            )


@asynccontextmanager
async def _orders(url: str, issuer: TestIssuer) -> AsyncIterator[str]:
    """The service with replacements for its upstreams; every reservation is refused."""

    async def refuse(_: web.Request) -> web.Response:
        error = {"code": "CONFLICT", "message": "some products cannot be reserved"}
        return web.json_response({"success": False, "error": error}, status=409)

    products = web.Application()
    products.router.add_post("/api/v1/reservations", refuse)
    async with (
        served(FakeUsers(issuer).application()) as users_url,
        served(products) as product_url,
    ):
        config = unlimited(
            OrderConfig,
            url,
            issuer,
            user_url=users_url,
            product_url=product_url,
            auth_token_url=f"{users_url}/api/v1/auth/token",
        )
        async with served(order.create_app(config)) as address:
            yield address


@pytest.mark.parametrize(("name", "count"), COUNTS.items())
def test_every_route_is_in_the_document(documents: Documents, name: str, count: int) -> None:
    asked = ASKED[name]
    routes = operations(asked.routes)
    assert set(routes) <= documented(documents(asked.service))
    assert len(routes) == count


@pytest.mark.parametrize(
    ("service", "path"),
    [
        ("catalog", "/api/v1/providers/me/services"),
        ("catalog", "/api/v1/providers/{provider_id}/services"),
        ("chat", "/api/v1/channels/{id}/messages"),  # with chat
    ],
)
def test_what_may_be_there_already_answers_in_two_ways(
    documents: Documents, service: str, path: str
) -> None:
    responses = documents(service).raw_schema["paths"][path]["post"]["responses"]
    assert {"200", "201"} <= set(responses)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("name", "path", "method"), OPERATIONS)
def test_every_answer_is_one_that_the_document_describes(
    documents: Documents,
    issuer: TestIssuer,
    name: str,
    path: str,
    method: str,
    mode: GenerationMode,
    full: Full,
) -> None:
    asked = ASKED[name]
    subject, role = asked.who(path, method)
    hold(
        documents(asked.service)[path][method],
        mode,
        issuer.authorized(*asked.permissions, subject=subject, role=role),
        examples=full(asked.examples, sample=asked.examples // 8),
        excluded=lambda case, answer: [*asked.excluded(path, method, case, answer)],
        prepare=asked.prepare,
    )
