"""Idempotency keys: a POST that is sent again gets the answer that it got before."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Collection
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from lib.auth.principal import current_principal
from lib.errors import AppError
from lib.http.errors import to_response
from lib.http.route import route_template
from lib.idempotency import Answer, IdempotencyKeys, Lease, Scope, fingerprint, parse_key
from lib.log import get_logger

log = get_logger(__name__)

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotency-Replayed"
_ANONYMOUS: Final = "anonymous"


def idempotent(keys: IdempotencyKeys, *, exempt: Collection[str] = ()) -> Middleware:
    """Return a middleware for POSTs that carry the header; it belongs behind authentication.

    Answers below 500 are kept, errors included; a 5xx gives the key back, so that the request may
    be tried again. Answers that set cookies are never kept: they hold secrets. `exempt` are route
    templates whose bodies do, such as sign-in. Work once begun is finished, client or no client.
    """
    working: set[asyncio.Task[web.StreamResponse]] = set()

    def finished(task: asyncio.Task[web.StreamResponse]) -> None:
        working.discard(task)
        # Where the client left nobody else will ask how it went.
        if not task.cancelled() and (error := task.exception()) is not None:
            log.debug("idempotent_work_failed", error=repr(error))

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        header = request.headers.get(HEADER)
        route = route_template(request)
        if header is None or request.method != "POST" or route in exempt:
            return await handler(request)
        principal = current_principal()
        owner = principal.subject if principal else _ANONYMOUS
        begun = await keys.begin(Scope(owner, route, parse_key(header)), await _print_of(request))
        if isinstance(begun, Answer):
            return _replay(begun)
        task = asyncio.create_task(_work(keys, begun, request, handler))
        working.add(task)
        task.add_done_callback(finished)
        return await asyncio.shield(task)

    return middleware


async def _work(
    keys: IdempotencyKeys, lease: Lease, request: web.Request, handler: Handler
) -> web.StreamResponse:
    try:
        async with asyncio.timeout(keys.policy.lease_seconds):
            response = await handler(request)
    except (AppError, web.HTTPException) as error:
        # Kept as the caller will see it, and raised for the log and the metrics.
        await _keep(keys, lease, to_response(error))
        raise
    except BaseException:
        await _settle(keys.release(lease))
        raise
    await _keep(keys, lease, response)
    return response


async def _keep(keys: IdempotencyKeys, lease: Lease, response: web.StreamResponse) -> None:
    answer = _answer_of(response)
    await _settle(keys.release(lease) if answer is None else keys.finish(lease, answer))


async def _settle(step: Awaitable[None]) -> None:
    """Do not fail a request whose work is done; its lease ends by itself."""
    try:
        await step
    except AppError as error:
        log.warning("idempotency_answer_not_kept", error=repr(error))


def _answer_of(response: web.StreamResponse) -> Answer | None:
    if not isinstance(response, web.Response) or response.status >= 500 or response.cookies:
        return None
    if not isinstance(response.body, bytes | bytearray | None):
        return None  # streamed: it cannot be had twice
    headers = tuple((str(name), value) for name, value in response.headers.items())
    return Answer(response.status, headers, bytes(response.body or b""))


def _replay(answer: Answer) -> web.Response:
    response = web.Response(status=answer.status, headers=answer.headers, body=answer.body)
    response.headers[REPLAYED] = "true"
    return response


async def _print_of(request: web.Request) -> bytes:
    return fingerprint(
        request.raw_path.encode("utf-8", "surrogateescape"),
        request.content_type.encode("utf-8", "surrogateescape"),
        await request.read(),
    )
