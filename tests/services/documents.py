"""Check a service against its own OpenAPI document, for all requests of a caller."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Any
from urllib.parse import urlencode

import requests
import schemathesis
from aiohttp import web
from hypothesis import HealthCheck, assume, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

LONGEST_QUERY = 7_500  # of 8,190 bytes of a request line, in which the path is too
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)

Check = Callable[..., Any]


@contextmanager
def on_a_thread(service: AbstractAsyncContextManager[str]) -> Iterator[str]:
    """Run a service in a loop in its own thread, because the cases are sent synchronously.

    `service` yields its address, which this function yields too.
    """
    loop, stop = asyncio.new_event_loop(), asyncio.Event()
    started: asyncio.Queue[str] = asyncio.Queue()

    async def serve() -> None:
        async with service as address:
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


def document(address: str) -> schemathesis.BaseSchema:
    """Read the OpenAPI document that a service publishes."""
    config = schemathesis.Config()
    # JSON allows NUL in a text, PostgreSQL does not: refused, which has a test of its own.
    # Nor is a request without a token that the case left out: `headers` bring one.
    config.projects.default.generation.update(allow_x00=False, with_security_parameters=False)
    return schemathesis.openapi.from_url(f"{address}/docs/swagger.json", config=config)


def operations(routes: Iterable[web.RouteDef]) -> list[tuple[str, str]]:
    """Return the path and the method of each route."""
    return sorted((route.path, route.method) for route in routes)


def documented(schema: schemathesis.BaseSchema) -> set[tuple[str, str]]:
    """Return the path and the method of each operation of a document."""
    return {
        (path, method.upper())
        for path, methods in schema.raw_schema["paths"].items()
        for method in methods
    }


def _always_excluded(case: schemathesis.Case) -> Iterator[Check]:
    # To JSON Schema 3.0 is an integer, and to us; a case may have meant it to be none.
    if any(isinstance(value, float) and value.is_integer() for value in case.query.values()):
        yield negative_data_rejection
    if "cursor" in case.query:  # only the service can write one
        yield positive_data_acceptance


def hold(
    operation: schemathesis.APIOperation,
    mode: GenerationMode,
    headers: Mapping[str, str],
    *,
    examples: int,
    checks: Callable[[requests.Response], list[Check] | None] = lambda _: None,
    excluded: Callable[[schemathesis.Case, requests.Response], Collection[Check]] | None = None,
    prepare: Callable[[schemathesis.Case], None] = lambda _: None,
) -> None:
    """Send cases: each response matches the document, and none is a 5xx.

    Args:
        operation: the operation to call.
        mode: whether the cases follow or violate the document.
        headers: the headers of every request.
        examples: the number of cases.
        checks: the checks of a response; by default, all checks of the library.
        excluded: the checks to skip for a case and its response.
        prepare: corrects a case before it is sent.
    """
    seen: set[int] = set()

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def check(case: schemathesis.Case) -> None:
        prepare(case)
        # A longer request line is refused by the HTTP parser, before the service can answer.
        assume(len(urlencode(case.query)) < LONGEST_QUERY)
        answer = case.call(headers=headers)
        without = [*_always_excluded(case), *(excluded(case, answer) if excluded else ())]
        case.validate_response(
            answer, headers=headers, checks=checks(answer), excluded_checks=without
        )
        seen.add(answer.status_code)

    try:
        check()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE  # nothing about this operation can be wrong
    else:
        assert seen, "nothing was asked"
    assert max(seen, default=0) < 500
