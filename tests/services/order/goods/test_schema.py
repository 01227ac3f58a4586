"""The service keeps the promises of its own OpenAPI document about goods, whatever is sent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from pydantic import SecretStr
from schemathesis.specs.openapi.checks import positive_data_acceptance

from lib.auth import Role
from services.order.app import create_app
from services.order.config import OrderConfig
from services.order.goods.routes import ROUTES
from tests.conftest import Full
from tests.services.documents import (
    MODES,
    document,
    documented,
    hold,
    on_a_thread,
    operations,
    served,
)
from tests.services.order.goods.fakes import ALICE, FakeUsers

OPERATIONS = operations(ROUTES)


@pytest.fixture(scope="module")
def schema(postgres_server, issuer) -> Iterator:
    url = postgres_server.create("order")
    with on_a_thread(_order(url, issuer)) as address:
        yield document(address)
    postgres_server.drop(url)


@asynccontextmanager
async def _order(database_url: str, issuer) -> AsyncIterator[str]:
    """The service beside stand-ins of those it asks."""
    async with (
        served(FakeUsers(issuer).application()) as users,
        served(_without_products()) as products,
    ):
        config = OrderConfig(
            _env_file=None,
            database_url=SecretStr(database_url),
            db_pool_min=1,
            auth_jwks_url=issuer.url,
            rate_limit_burst=100_000,
            user_rate_limit=100_000,
            user_url=users,
            product_url=products,
            auth_token_url=f"{users}/api/v1/auth/token",
        )
        async with served(create_app(config)) as address:
            yield address


def _without_products() -> web.Application:
    """Has no products: every reservation is refused."""

    async def refuse(_: web.Request) -> web.Response:
        error = {"code": "CONFLICT", "message": "not everything can be reserved"}
        return web.json_response({"success": False, "error": error}, status=409)

    app = web.Application()
    app.router.add_post("/api/v1/reservations", refuse)
    return app


def test_every_route_is_in_the_document(schema) -> None:
    assert set(OPERATIONS) <= documented(schema)
    assert len(OPERATIONS) == 6


@pytest.mark.parametrize("role", [Role.ADMIN, Role.CUSTOMER])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_answer_is_one_that_the_document_describes(
    schema, issuer, path, method, mode, role, full: Full
) -> None:
    def excluded(case, _):
        # A customer who asks for what is not theirs, and a version that is not the present one,
        # are valid and refused all the same.
        refused = role is Role.CUSTOMER or "If-Match" in case.headers or method == "POST"
        return [positive_data_acceptance] if refused else []

    headers = issuer.authorized(subject=ALICE, role=role)
    hold(schema[path][method], mode, headers, examples=full(40, sample=5), excluded=excluded)
