"""Takes mail out of a table and sends it. Any number of workers may run at once.

Run it on a new database: aiosqlc serve -- python -m mailer.worker
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg

from mailer.store import mail
from mailer.store.helpers import Observed, in_transaction

Send = Callable[[str, str], Awaitable[None]]
log = logging.getLogger("mailer")
AT_ONCE, MOST_TRIES, PAUSE = 10, 5, 1.0


def log_query(name: str, seconds: float, rows: int | None, error: BaseException | None) -> None:
    """Log every query."""
    log.debug("%s: %.1f ms, %s rows, %s", name, seconds * 1e3, rows, error or "fine")


async def send_due(connection: Any, send: Send) -> int:
    """Send what is due, as far as one transaction takes it; return how much that was.

    Rows stay locked until the transaction ends: a worker that is killed leaves them to the others,
    who may send what it had sent and not yet noted. Recipients get a mail at least once.
    """
    db = Observed(connection, log_query)
    taken = await mail.take_mail(db, most=AT_ONCE, most_tries=MOST_TRIES)
    sent: list[int] = []
    failed: list[mail.MarkFailedParams] = []
    for item in taken:
        try:
            await send(item.recipient, item.body)
        except OSError as error:
            log.warning("mail %d: %s", item.id, error)
            failed.append(mail.MarkFailedParams(problem=str(error), id=item.id))
        else:
            sent.append(item.id)
    await mail.mark_sent(db, sent)
    await mail.mark_failed(db, failed)
    return len(taken)


async def run(pool: Any, send: Send, stop: asyncio.Event) -> None:
    """Send mail until the event is set, and finish a batch that has started."""
    while not stop.is_set():
        if await in_transaction(pool, lambda connection: send_due(connection, send), attempts=1):
            continue
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), PAUSE)


async def show(recipient: str, body: str) -> None:
    """Stand in for a mail server."""
    print(f"to {recipient}: {body}")


async def main() -> None:
    """Send until the process receives SIGINT or SIGTERM."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=1) as pool:
        await mail.add_mail(pool, [mail.AddMailParams("ada@example.org", "welcome")])
        await run(pool, show, stop)


if __name__ == "__main__":
    asyncio.run(main())
