"""The caller's deadline: stop work that no one waits for."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from aiohttp import web

from lib import context
from lib.resilience.deadline import HEADER, read_header, within

_LONGEST_SECONDS = 3600.0


def waits_less(request: web.Request) -> AbstractAsyncContextManager[None] | None:
    """Return the time limit, which `X-Deadline-Ms` of the caller may shorten."""
    if HEADER not in request.headers:
        return None
    seconds = context.remaining(read_header(request.headers, limit=_LONGEST_SECONDS))
    return within(seconds, what="the request")
