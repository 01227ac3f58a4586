"""The source of `loader.py`, which is written beside functions that read many keys."""

LOADER = '''\
"""Join the reads of single keys that one tick of the event loop starts into one read of many."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from copy import deepcopy
from datetime import date, datetime
from itertools import islice
from typing import Generic, TypeVar, cast
from weakref import WeakKeyDictionary

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

_turns: WeakKeyDictionary[object, asyncio.Lock] = WeakKeyDictionary()


class Loader(Generic[K, V]):
    """Reads keys in batches on one connection or pool.

    A batch has the keys of all `load` calls that are waiting when it starts, at most `most` of
    them. The batches of a loader run one after another, as do those of all loaders of one
    connection. Nothing is cached.
    """

    def __init__(
        self,
        read: Callable[[list[K]], Awaitable[Mapping[K, V]]],
        missing: Callable[[], V],
        most: int = 1000,
        db: object = None,
        kinds: Sequence[str] = (),
    ) -> None:
        if most < 1:
            raise ValueError(f"a batch of {most} keys has no key")
        self._read = read
        self._missing = missing
        self._most = most
        self._db = db
        self._kinds = kinds
        self._waiting: dict[K, list[asyncio.Future[V]]] = {}
        self._task: asyncio.Task[None] | None = None

    async def load(self, key: K) -> V:
        """Return the result for a key. If the batch fails, raise its error in each waiting call.

        Each call gets a result of its own. Raises TypeError if Python does not take the key for
        equal to the key of its rows, such as a datetime without a time zone.
        """
        for value, kind in zip(_values(key, len(self._kinds)), self._kinds, strict=False):
            if _is_other_kind(value, kind):
                raise TypeError(f"{value!r} is not {_KINDS[kind]}, but the key of the rows is")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[V] = loop.create_future()
        self._waiting.setdefault(key, []).append(future)
        if self._task is None or self._task.done():
            self._task = loop.create_task(self._run())
        return await future

    async def _run(self) -> None:
        await asyncio.sleep(0)  # the calls that other tasks start in this tick
        while self._waiting:
            async with _turn_of(self._db):
                keys = list(islice(self._waiting, self._most))
                batch = {key: self._waiting.pop(key) for key in keys}
                wanted = {key: futures for key, futures in batch.items() if _pending(futures)}
                if wanted:
                    await self._answer(wanted)

    async def _answer(self, batch: dict[K, list[asyncio.Future[V]]]) -> None:
        try:
            found = await self._read(list(batch))
            others = [key for key in found if key not in batch]
            for key, futures in batch.items():
                if key not in found and others:
                    _refuse(futures, f"{others[0]!r} is the key of a row, but not {key!r}")
                for future in _pending(futures)[:1]:
                    future.set_result(found[key] if key in found else self._missing())
            for key, futures in batch.items():
                for future in _pending(futures):
                    future.set_result(deepcopy(found[key]) if key in found else self._missing())
        except BaseException as error:
            for futures in batch.values():
                for future in _pending(futures):
                    if isinstance(error, asyncio.CancelledError):
                        future.cancel()
                    else:
                        future.set_exception(error)
            if not isinstance(error, Exception):
                raise


def _refuse(futures: list[asyncio.Future[V]], why: str) -> None:
    for future in _pending(futures):
        future.set_exception(TypeError(f"pass keys as the rows have them: {why}"))


_KINDS = {
    "date": "a date without a time",
    "aware": "a datetime with a time zone",
    "naive": "a datetime without a time zone",
}


def _values(key: object, count: int) -> Sequence[object]:
    """Return the values of a key of `count` columns."""
    if count > 1 and isinstance(key, tuple):
        return cast("tuple[object, ...]", key)
    return (key,)


def _is_other_kind(value: object, kind: str) -> bool:
    if not kind or not isinstance(value, date):
        return False
    if not isinstance(value, datetime):
        return kind != "date"
    return kind != ("naive" if value.utcoffset() is None else "aware")


def _turn_of(db: object) -> AbstractAsyncContextManager[object]:
    """Return the lock of a connection, which runs one statement at a time. A pool has no lock."""
    if db is None or hasattr(db, "acquire"):
        return nullcontext()
    try:
        return _turns.setdefault(db, asyncio.Lock())
    except TypeError:  # an own executor without a hash or weak references
        return nullcontext()


def _pending(futures: list[asyncio.Future[V]]) -> list[asyncio.Future[V]]:
    return [future for future in futures if not future.done()]
'''
