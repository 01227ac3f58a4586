"""The service keeps the promises of its own OpenAPI document, for whatever a caller may send."""

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

from services.department.app import create_app
from services.department.config import DepartmentConfig

LIST = "/api/v1/departments"
ONE = f"{LIST}/{{id}}"


@pytest.fixture(scope="module")
def address(postgres_server, issuer) -> Iterator[str]:
    """The service on a loop and a thread of its own: the cases are sent synchronously."""
    url = postgres_server.create("department", demo=True)
    config = DepartmentConfig(
        database_url=SecretStr(url),
        db_pool_min=1,
        auth_jwks_url=issuer.url,
        rate_limit_burst=10_000,
    )
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def start() -> web.AppRunner:
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


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize(
    ("path", "method"),
    [(LIST, "GET"), (LIST, "POST"), (ONE, "GET"), (ONE, "PATCH"), (ONE, "DELETE")],
)
def test_every_answer_is_one_that_the_document_describes(
    address, issuer, path, method, mode
) -> None:
    config = schemathesis.Config()
    # JSON allows NUL in a text, PostgreSQL does not: refused, which has a test of its own.
    config.projects.default.generation.update(allow_x00=False)
    schema = schemathesis.openapi.from_url(f"{address}/docs/swagger.json", config=config)
    statuses: set[int] = set()
    staff = issuer.authorized("departments:write")

    @given(case=schema[path][method].as_strategy(generation_mode=mode))
    @settings(
        max_examples=40,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def check(case: schemathesis.Case) -> None:
        # A version that is not the present one is valid, and refused with 412 all the same.
        excluded = [positive_data_acceptance] if "If-Match" in case.headers else []
        statuses.add(case.call_and_validate(excluded_checks=excluded, headers=staff).status_code)

    check()
    assert statuses
    assert max(statuses) < 500
