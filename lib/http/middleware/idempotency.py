"""Idempotency keys: a repeated POST gets the earlier response."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Collection, Coroutine
from functools import partial
from typing import Any, Final

from aiohttp import web
from aiohttp.typedefs import Handler

from lib.auth.principal import current_principal
from lib.db.executor import before_commit
from lib.errors import AppError
from lib.http.errors import to_response
from lib.http.retry_after import RETRY_AFTER
from lib.http.route import template_of
from lib.idempotency import Answer, IdempotencyKeys, Lease, Scope, fingerprint, parse_key
from lib.log import get_logger

log = get_logger(__name__)

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotency-Replayed"
_ANONYMOUS: Final = "anonymous"
_PASSING: Final = frozenset({401, 403, 408, 425, 429})  # what signing in or waiting changes


class Idempotency:
    """Handle POST requests with an Idempotency-Key. `serve` runs after authentication.

    A response is stored if a later attempt would have the same result: a success, or an error in
    the request itself. After a 5xx or a temporary refusal, the key is released, so that the client
    can try again. Temporary refusals are 401, 403, 408, 425, 429, a conflict with a concurrent
    request, and every response with `Retry-After`. A response that sets cookies is never stored,
    because cookies contain secrets. A handler that has started runs to its end, even if the client
    disconnects.
    """

    def __init__(
        self,
        keys: IdempotencyKeys,
        *,
        exempt: Collection[str] = (),
        resumable: Collection[str] = (),
        own: Collection[str] = (),
    ) -> None:
        """Create the middleware.

        `exempt`, `resumable` and `own` are collections of route templates.

        Args:
            keys: the store of the responses.
            exempt: routes whose responses contain secrets, such as sign-in.
            resumable: routes that store the key with the object that they create, and continue an
                interrupted request.
            own: routes that also detect a repeated key themselves and refuse a key with another
                body. No response is stored for them, which saves two writes.
        """
        self._keys = keys
        self._resumable = frozenset(resumable)
        self._own = frozenset(own)
        self._exempt = frozenset(exempt)
        self._working: set[asyncio.Task[web.StreamResponse]] = set()

    @web.middleware
    async def serve(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Return the stored response, or run the handler."""
        header = request.headers.get(HEADER)
        route = template_of(request.match_info.route)
        if header is None or request.method != "POST" or route in self._exempt:
            return await handler(request)
        if route in self._own:
            return await asyncio.shield(self._begin(self._alone(request, handler)))
        principal = current_principal()
        scope = Scope(principal.subject if principal else _ANONYMOUS, route, parse_key(header))
        lease = await self._keys.begin(scope, await _print_of(request))
        if isinstance(lease, Answer):  # stored by an earlier request
            return _replay(lease)
        if route not in self._resumable:
            before_commit.set(partial(self._keys.mark_done, lease))
        try:
            task = self._begin(_work(self._keys, lease, request, handler))
        finally:
            before_commit.set(None)  # The task has a copy of the context.
        return await asyncio.shield(task)

    async def finish(self) -> None:
        """Wait for handlers whose clients have disconnected, before the dependencies are closed."""
        if self._working:
            await asyncio.wait(self._working, timeout=self._keys.policy.lease_seconds)

    def _begin(
        self, work: Coroutine[Any, Any, web.StreamResponse]
    ) -> asyncio.Task[web.StreamResponse]:
        """Run the handler to its end, even if the client disconnects."""
        task = asyncio.create_task(work)
        self._working.add(task)
        task.add_done_callback(self._finished)
        return task

    async def _alone(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        async with asyncio.timeout(self._keys.policy.lease_seconds):
            return await handler(request)

    def _finished(self, task: asyncio.Task[web.StreamResponse]) -> None:
        self._working.discard(task)
        # If the client has disconnected, no other code retrieves the exception.
        if not task.cancelled() and (error := task.exception()) is not None:
            log.debug("idempotent_work_failed", error=error)


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
    """Store the response.

    If that fails, log the error: the request has succeeded, and its lease expires.
    """
    try:
        await step
    except AppError as error:
        log.warning("idempotency_answer_not_kept", error=error)


def _answer_of(response: web.StreamResponse) -> Answer | None:
    if not isinstance(response, web.Response) or response.status >= 500 or response.cookies:
        return None
    if response.status in _PASSING or RETRY_AFTER in response.headers:
        return None
    if not isinstance(response.body, bytes | bytearray | None):
        return None  # a streamed body cannot be read twice
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
