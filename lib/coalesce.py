"""Combine concurrent look-ups into one call, similar to the group commit of a database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

from lib.errors import AppError, Code

K = TypeVar("K")
V = TypeVar("V")


@dataclass(slots=True, eq=False)
class _Waiting(Generic[K, V]):
    key: K
    # What was found for all of them; None: this one is to ask for those that wait.
    found: asyncio.Future[Mapping[K, V] | None]


class Coalesced(Generic[K, V]):
    """Run one call at a time for all keys that were requested during the previous call.

    If no other call runs, a caller does not wait. One of the waiting callers makes the call, with
    the deadline and the trace of this caller. If the call fails, it fails for all its callers.
    """

    def __init__(
        self, ask: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]], *, most: int = 100
    ) -> None:
        """Create a combiner. One call of `ask` gets up to `most` keys."""
        self._ask = ask
        self._most = most
        self._is_asking = False
        self._waiting: list[_Waiting[K, V]] = []

    async def find(self, key: K) -> V | None:
        """Return the value for the key, or None. Raises the exceptions of `ask`.

        Raises:
            AppError: SERVICE_UNAVAILABLE if the caller who made the call was cancelled.
        """
        if self._is_asking:
            own = _Waiting[K, V](key, asyncio.get_running_loop().create_future())
            self._waiting.append(own)
            try:
                found = await own.found
            except asyncio.CancelledError:
                with suppress(ValueError):
                    self._waiting.remove(own)
                if _is_to_ask(own.found):
                    self._pass_on()
                raise
            if found is not None:
                return found.get(key)
        return await self._ask_for_all(key)

    async def _ask_for_all(self, key: K) -> V | None:
        self._is_asking = True
        others, self._waiting = self._waiting[: self._most - 1], self._waiting[self._most - 1 :]
        failure: Exception | None = None
        found: Mapping[K, V] | None = None
        try:
            found = await self._ask([key, *(other.key for other in others)])
        except Exception as error:
            failure = error
            raise
        finally:
            for other in others:
                if other.found.done():
                    continue
                if found is not None:
                    other.found.set_result(found)
                else:
                    other.found.set_exception(failure or _cancelled())
            self._pass_on()
        return found.get(key)

    def _pass_on(self) -> None:
        """Wake the next waiting caller, if any, to make the next call."""
        while self._waiting:
            following = self._waiting.pop(0)
            if not following.found.done():
                following.found.set_result(None)
                return
        self._is_asking = False


def _cancelled() -> AppError:
    return AppError(Code.SERVICE_UNAVAILABLE, "the request was cancelled")


def _is_to_ask(found: asyncio.Future[Mapping[K, V] | None]) -> bool:
    if not found.done() or found.cancelled() or found.exception() is not None:
        return False
    return found.result() is None
