"""Count attempts, such as logins, in advance. Attempts that fail in the server do not count."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from lib import context
from lib.db import Database
from lib.errors import AppError, Code
from lib.log import get_logger
from services.user.service import throttle
from services.user.service.throttle import Limit
from services.user.store import attempts

log = get_logger(__name__)

_OURS: Final = frozenset(
    {
        Code.CIRCUIT_OPEN, Code.SERVICE_UNAVAILABLE, Code.DEADLINE_EXCEEDED, Code.INTERNAL_ERROR,
    }
)  # fmt: skip
# Of the account: what one address may try at all accounts bounds how often we hash for nothing.
_GIVEN_BACK: Final = 2
# Between tries while the database is away, which may be why the attempt failed.
_WAITS: Final = (0.0, 0.5, 2.0, 10.0, 30.0, 60.0)
# At the same time: more are not given back, so that an outage costs a bounded amount of memory.
_MOST: Final = 1000
_under_way: Final[set[asyncio.Task[None]]] = set()


@dataclass(slots=True)
class Attempt:
    """An attempt in progress. If `wrong` is true, it counts even if the server fails afterwards."""

    wrong: bool = False


@asynccontextmanager
async def counted(db: Database, limits: Mapping[bytes, Limit]) -> AsyncIterator[Attempt]:
    """Count an attempt before the block runs, and decide afterwards whether it stays counted.

    If an attempt ends with an error of the platform or a time-out, it is subtracted again from the
    account's count, so that an outage does not lock the owner out. An attempt that the block has
    marked as wrong stays counted. If the caller disconnects, the attempt stays counted.

    Raises:
        AppError: RATE_LIMIT_EXCEEDED after too many attempts, or the error of the block.
    """
    async with db.transaction() as tx:
        await throttle.take(tx, limits)
    attempt = Attempt()
    try:
        yield attempt
    except BaseException as error:
        if not attempt.wrong and _is_ours(error):
            _give_back(db, list(limits)[:_GIVEN_BACK])
        raise


def _is_ours(error: BaseException) -> bool:
    if isinstance(error, AppError):
        return error.code in _OURS
    if isinstance(error, asyncio.CancelledError):
        # Over the time of the request; else the caller has gone.
        until = context.deadline.get()
        return until is not None and asyncio.get_running_loop().time() >= until
    return isinstance(error, Exception)


def _give_back(db: Database, keys: Iterable[bytes]) -> None:
    if len(_under_way) >= _MOST:
        log.warning("attempt_not_given_back", waiting=len(_under_way))
        return
    # In a context of its own: the deadline of the request is over.
    task = asyncio.create_task(
        _returning(db, list(keys)), name="attempt-back", context=contextvars.Context()
    )
    _under_way.add(task)
    task.add_done_callback(_under_way.discard)


async def _returning(db: Database, keys: list[bytes]) -> None:
    for wait in _WAITS:
        await asyncio.sleep(wait)
        try:
            async with db.transaction() as tx:
                for key in keys:
                    # aiosqlc_loops: there are at most four counters, locked in this order
                    await attempts.take_attempt_back(tx, key=key)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is tried again
            log.info("attempt_not_given_back_yet", error=repr(error))
        else:
            return
    log.warning("attempt_not_given_back", waiting=len(_under_way))
