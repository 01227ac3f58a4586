"""The caller's deadline: stop work when the caller no longer waits for it."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Final

from multidict import istr

from lib.http.middleware.exchange import Exchange
from lib.resilience.deadline import HEADER, read_header, within

_LONGEST_SECONDS = 3600.0
_HEADER: Final = istr(HEADER)


def waits_less(exchange: Exchange) -> AbstractAsyncContextManager[None] | None:
    """Return the time limit, which the caller may shorten with `X-Deadline-Ms`."""
    if _HEADER not in exchange.headers:
        return None
    return within(read_header(exchange.headers, limit=_LONGEST_SECONDS), what="the request")
