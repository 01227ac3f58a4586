"""The caller's deadline: work that nobody waits for any more is not finished."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from aiohttp import web

from lib import context
from lib.resilience.deadline import HEADER, read_header, within

_LONGEST_SECONDS = 3600.0


def waits_less(request: web.Request) -> AbstractAsyncContextManager[None] | None:
    """Return what to serve within where the caller says how long it waits (`X-Deadline-Ms`)."""
    if HEADER not in request.headers:
        return None
    seconds = context.remaining(read_header(request.headers, limit=_LONGEST_SECONDS))
    return within(seconds, what="the request")
