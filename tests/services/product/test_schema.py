"""The service keeps the promises of its own OpenAPI document, for whatever a caller may send."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from pydantic import SecretStr
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from lib.auth import Role
from lib.http.server import serve_app
from services.product.app import create_app
from services.product.config import ProductConfig

LIST = "/api/v1/products"
ONE = f"{LIST}/{{id}}"
RESERVE = "/api/v1/reservations"
RESERVED = f"{RESERVE}/{{id}}"
# What these refuse depends on what there is, not on what is said: a version, a stock, a step.
_BY_STATE = {"If-Match", "Idempotency-Key"}


@pytest.fixture(scope="module")
def address(postgres_server, issuer) -> Iterator[str]:
    """The service on a loop and a thread of its own: the cases are sent synchronously."""
    url = postgres_server.create("product", demo=True)
    config = ProductConfig(
        _env_file=None,
        database_url=SecretStr(url),
        db_pool_min=1,
        auth_jwks_url=issuer.url,
        rate_limit_burst=100_000,
        user_rate_limit=100_000,
        drain_seconds=2,
    )
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    started: asyncio.Queue[int] = asyncio.Queue()

    async def serve() -> None:
        async with serve_app(create_app(config), config, port=0) as port:
            started.put_nowait(port)
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        port = asyncio.run_coroutine_threadsafe(started.get(), loop).result(30)
        yield f"http://127.0.0.1:{port}"
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(30)
        loop.close()
        postgres_server.drop(url)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize(
    ("path", "method"),
    [
        (LIST, "GET"), (LIST, "POST"), (ONE, "GET"), (ONE, "PATCH"), (ONE, "DELETE"),
        (f"{ONE}/prices", "GET"), (f"{ONE}/movements", "GET"), (RESERVE, "POST"),
        (RESERVED, "GET"), (f"{RESERVED}/confirm", "POST"), (f"{RESERVED}/release", "POST"),
    ],
)  # fmt: skip
def test_every_answer_is_one_that_the_document_describes(
    address, issuer, path, method, mode
) -> None:
    config = schemathesis.Config()
    # JSON allows NUL in a text, PostgreSQL does not: refused, which has a test of its own.
    config.projects.default.generation.update(allow_x00=False)
    schema = schemathesis.openapi.from_url(f"{address}/docs/swagger.json", config=config)
    statuses: set[int] = set()
    staff = issuer.authorized(subject="clerk", role=Role.STAFF)

    @given(case=schema[path][method].as_strategy(generation_mode=mode))
    @settings(
        max_examples=25,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def check(case: schemathesis.Case) -> None:
        by_state = method in {"PATCH", "DELETE"} or path == RESERVE or _BY_STATE & {*case.headers}
        excluded = [positive_data_acceptance] if by_state else []
        statuses.add(case.call_and_validate(excluded_checks=excluded, headers=staff).status_code)

    check()
    assert statuses
    assert max(statuses) < 500
