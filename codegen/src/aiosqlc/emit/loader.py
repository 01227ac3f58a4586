"""The source of `loader.py`, which is written beside functions that read many keys."""

LOADER = '''\
"""Join the reads of single keys that one tick of the event loop starts into one read of many."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping
from itertools import islice
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Loader(Generic[K, V]):
    """Reads keys in batches on one connection or pool.

    A batch has the keys of all `load` calls that are waiting when it starts, at most `most` of
    them. Batches run one after another, so a single connection can be used. Nothing is cached.
    """

    def __init__(
        self,
        read: Callable[[list[K]], Awaitable[Mapping[K, V]]],
        missing: Callable[[], V],
        most: int = 1000,
    ) -> None:
        if most < 1:
            raise ValueError(f"a batch of {most} keys has no key")
        self._read = read
        self._missing = missing
        self._most = most
        self._waiting: dict[K, list[asyncio.Future[V]]] = {}
        self._task: asyncio.Task[None] | None = None

    async def load(self, key: K) -> V:
        """Return the result for a key. If the batch fails, raise its error in each waiting call."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[V] = loop.create_future()
        self._waiting.setdefault(key, []).append(future)
        if self._task is None or self._task.done():
            self._task = loop.create_task(self._run())
        return await future

    async def _run(self) -> None:
        await asyncio.sleep(0)  # the calls that other tasks start in this tick
        while self._waiting:
            keys = list(islice(self._waiting, self._most))
            batch = {key: self._waiting.pop(key) for key in keys}
            wanted = {key: futures for key, futures in batch.items() if _pending(futures)}
            if wanted:
                await self._answer(wanted)

    async def _answer(self, batch: dict[K, list[asyncio.Future[V]]]) -> None:
        try:
            found = await self._read(list(batch))
        except BaseException as error:
            for futures in batch.values():
                for future in _pending(futures):
                    if isinstance(error, asyncio.CancelledError):
                        future.cancel()
                    else:
                        future.set_exception(error)
            if not isinstance(error, Exception):
                raise
            return
        for key, futures in batch.items():
            for future in _pending(futures):
                future.set_result(found[key] if key in found else self._missing())


def _pending(futures: list[asyncio.Future[V]]) -> list[asyncio.Future[V]]:
    return [future for future in futures if not future.done()]
'''
