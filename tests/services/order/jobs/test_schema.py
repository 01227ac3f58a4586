"""The marketplace keeps the promises of the OpenAPI document, whatever a caller may send."""

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
from schemathesis.specs.openapi.checks import content_type_conformance, positive_data_acceptance

from lib.auth import Role
from services.order.app import create_app
from services.order.config import OrderConfig
from services.order.routes.jobs import ROUTES
from tests.services.order.conftest import CUSTOMER, PROVIDER

OPERATIONS = sorted((route.path, route.method) for route in ROUTES)
# What is well-formed and still no window, no time of a window, or no place on the globe.
RULES = {
    ("/api/v1/service-orders", "POST"),
    ("/api/v1/service-orders", "GET"),
    ("/api/v1/offers", "POST"),
}


@pytest.fixture(scope="module")
def address(postgres_server, issuer) -> Iterator[str]:
    """The service on a loop and a thread of its own: the cases are sent synchronously."""
    url = postgres_server.create("order", demo=True)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def start() -> web.AppRunner:
        config = OrderConfig(
            _env_file=None,
            database_url=SecretStr(url),
            db_pool_min=1,
            auth_jwks_url=issuer.url,
            rate_limit_burst=100_000,
            user_rate_limit=100_000,
        )
        runner = web.AppRunner(create_app(config), handler_cancellation=True)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner

    runner = asyncio.run_coroutine_threadsafe(start(), loop).result(30)
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(30)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
    postgres_server.drop(url)


@pytest.fixture(scope="module")
def schema(address):
    config = schemathesis.Config()
    # JSON allows NUL in a text, PostgreSQL does not: refused, which has a test of its own.
    config.projects.default.generation.update(allow_x00=False)
    return schemathesis.openapi.from_url(f"{address}/docs/swagger.json", config=config)


def test_every_route_is_in_the_document(schema) -> None:
    documented = {
        (path, method.upper()) for path, methods in schema.raw_schema["paths"].items()
        for method in methods
    }  # fmt: skip
    assert set(OPERATIONS) <= documented
    # The 46 of the design, accepting an offer under its own address, the nearest providers, and
    # saying where I work from.
    assert len(OPERATIONS) == 49


def role_for(path: str, method: str) -> tuple[str, Role]:
    """Return whose request gets past the guards of most routes."""
    if "/providers/me" in path or (path.startswith("/api/v1/offers") and method != "DELETE"):
        return PROVIDER, Role.PROVIDER
    if "/customers/me" in path or (path, method) == ("/api/v1/service-orders", "POST"):
        return CUSTOMER, Role.CUSTOMER
    return PROVIDER, Role.ADMIN


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_answer_is_one_that_the_document_describes(
    schema, issuer, path, method, mode
) -> None:
    subject, role = role_for(path, method)
    headers = issuer.authorized(subject=subject, role=role)
    statuses: set[int] = set()

    @given(case=schema[path][method].as_strategy(generation_mode=mode))
    @settings(
        max_examples=12,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def check(case: schemathesis.Case) -> None:
        # A version that is not the present one is valid, and refused with 412 all the same.
        by_rule = "If-Match" in case.headers or (path, method) in RULES
        excluded = [positive_data_acceptance] if by_rule else []
        answer = case.call(headers=headers)
        if answer.status_code == 304:
            excluded.append(content_type_conformance)  # of nothing
        case.validate_response(answer, headers=headers, excluded_checks=excluded)
        statuses.add(answer.status_code)

    check()
    assert statuses
    assert max(statuses) < 500
