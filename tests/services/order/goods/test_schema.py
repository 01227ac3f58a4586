"""The service keeps the promises of its own OpenAPI document about goods, whatever is sent."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest
import schemathesis
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from pydantic import SecretStr
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from lib.auth import Role
from services.order.app import create_app
from services.order.config import OrderConfig
from services.order.routes.goods import ROUTES
from tests.services.order.goods.fakes import ALICE, FakeUsers

OPERATIONS = sorted((route.path, route.method) for route in ROUTES)


@pytest.fixture(scope="module")
def address(postgres_server, issuer) -> Iterator[str]:
    """The service on a loop and a thread of its own: the cases are sent synchronously."""
    url = postgres_server.create("order")
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    runners: list[web.AppRunner] = []

    async def run(app: web.Application) -> str:
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        runners.append(runner)
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    async def start() -> str:
        users = await run(FakeUsers(issuer).application())
        config = OrderConfig(
            _env_file=None,
            database_url=SecretStr(url),
            db_pool_min=1,
            auth_jwks_url=issuer.url,
            rate_limit_burst=100_000,
            user_rate_limit=100_000,
            user_url=users,
            # Has no products: every reservation is refused.
            product_url=await run(_without_products()),
            auth_token_url=f"{users}/api/v1/auth/token",
        )
        return await run(create_app(config))

    yield asyncio.run_coroutine_threadsafe(start(), loop).result(30)
    for runner in reversed(runners):
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(30)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
    postgres_server.drop(url)


def _without_products() -> web.Application:
    async def refuse(_: web.Request) -> web.Response:
        error = {"code": "CONFLICT", "message": "not everything can be reserved"}
        return web.json_response({"success": False, "error": error}, status=409)

    app = web.Application()
    app.router.add_post("/api/v1/reservations", refuse)
    return app


@pytest.fixture(scope="module")
def schema(address):
    config = schemathesis.Config()
    # JSON allows NUL in a text, PostgreSQL does not: refused, which has a test of its own.
    config.projects.default.generation.update(allow_x00=False)
    return schemathesis.openapi.from_url(f"{address}/docs/swagger.json", config=config)


def test_every_route_is_in_the_document(schema) -> None:
    documented = {
        (path, method.upper())
        for path, methods in schema.raw_schema["paths"].items()
        for method in methods
    }
    assert set(OPERATIONS) <= documented
    assert len(OPERATIONS) == 5


@pytest.mark.parametrize("role", [Role.ADMIN, Role.CUSTOMER])
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_answer_is_one_that_the_document_describes(
    schema, issuer, path, method, mode, role
) -> None:
    headers = issuer.authorized(subject=ALICE, role=role)
    statuses: set[int] = set()

    @given(case=schema[path][method].as_strategy(generation_mode=mode))
    @settings(
        max_examples=15,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def check(case: schemathesis.Case) -> None:
        # A customer who asks for what is not theirs, and a version that is not the present one,
        # are valid and refused all the same.
        refused = role is Role.CUSTOMER or "If-Match" in case.headers
        answer = case.call(headers=headers)
        excluded = [positive_data_acceptance] if refused or method == "POST" else []
        case.validate_response(answer, headers=headers, excluded_checks=excluded)
        statuses.add(answer.status_code)

    check()
    assert statuses
    assert max(statuses) < 500
