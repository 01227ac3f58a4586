"""What the service answers is what its own OpenAPI document says, whatever it is asked."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from lib.testing.postgres import TestPostgres
from tests.services.running import STAFF, running_point, running_user


@pytest.fixture(scope="module")
def base(postgres_server: TestPostgres) -> Iterator[str]:
    """The service on a loop and a thread of its own: the library asks from this one."""
    user = postgres_server.create("user", demo=True)
    point = postgres_server.create("point", demo=True)
    started: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        async with (
            running_point(point) as points,
            running_user(user, points.grpc_address) as address,
        ):
            started.put_nowait(address)
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        yield asyncio.run_coroutine_threadsafe(started.get(), loop).result(30)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(30)
        loop.close()


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("path", ["/api/v1/users", "/api/v1/users/{id}"])
def test_answers_keep_to_the_document(base: str, path: str, mode: GenerationMode) -> None:
    operation = schemathesis.openapi.from_url(f"{base}/docs/swagger.json")[path]["GET"]
    statuses = set()

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=40,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def check(case: schemathesis.Case) -> None:
        response = case.call(headers=STAFF)
        statuses.add(response.status_code)
        assert response.status_code < 500
        case.validate_response(
            response,
            checks=[status_code_conformance, content_type_conformance, response_schema_conformance],
        )

    check()
    assert statuses, "nothing was asked"
