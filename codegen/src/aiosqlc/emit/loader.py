"""The source of `loader.py`, which is written beside functions that read many keys."""

LOADER = '''\
"""Combine concurrent reads of single keys into reads of many keys."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from contextlib import nullcontext
from copy import deepcopy
from datetime import UTC, date, datetime
from itertools import islice
from typing import Generic, TypeVar, cast
from weakref import WeakValueDictionary

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

class _Turn:
    """The lock of a connection, which runs one statement at a time, in one event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.lock = asyncio.Lock()


_turns: WeakValueDictionary[tuple[int, int], _Turn] = WeakValueDictionary()


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
            raise ValueError(f"max_batch must be at least 1, not {most}")
        self._read = read
        self._missing = missing
        self._most = most
        self._db = db
        self._kinds = kinds
        self._waiting: dict[K, list[asyncio.Future[V]]] = {}
        self._task: asyncio.Task[None] | None = None
        self._turn: _Turn | None = None
        self._batch: dict[K, list[asyncio.Future[V]]] = {}
        self._reading: asyncio.Future[Mapping[K, V]] | None = None

    async def load(self, key: K) -> V:
        """Return the result for a key. If the batch fails, raise its error in each waiting call.

        Each call gets a result of its own. Raises TypeError if Python does not take the key for
        equal to the key of its rows, such as a datetime without a time zone.
        """
        for value, kind in zip(_values(key, len(self._kinds)), self._kinds, strict=False):
            if _is_other_kind(value, kind):
                raise TypeError(f"{value!r} is not {_KINDS[kind]}, but the key of the rows is")
        key = cast("K", _in_utc(key, self._kinds))
        loop = asyncio.get_running_loop()
        future: asyncio.Future[V] = loop.create_future()
        self._waiting.setdefault(key, []).append(future)
        if self._task is None or self._task.done():
            self._turn = _turn_of(self._db, loop)
            self._task = loop.create_task(self._run(self._turn))
        try:
            return await future
        except asyncio.CancelledError:
            await self._stop_unwanted()
            raise

    async def _stop_unwanted(self) -> None:
        """Stop a read for which nobody waits any more, so that the connection is free again."""
        reading = self._reading
        if reading is not None and not any(map(_pending, self._batch.values())):
            reading.cancel()
            await asyncio.wait([reading])

    async def _run(self, turn: _Turn | None) -> None:
        try:
            await asyncio.sleep(0)  # lets other tasks add their calls
            while self._waiting:
                async with turn.lock if turn else nullcontext():
                    keys = list(islice(self._waiting, self._most))
                    batch = {key: self._waiting.pop(key) for key in keys}
                    wanted = {key: futures for key, futures in batch.items() if _pending(futures)}
                    if wanted:
                        await self._answer(wanted)
        except BaseException as error:
            waiting, self._waiting = self._waiting, {}
            _fail(waiting, error)
            if not isinstance(error, Exception):
                raise

    async def _answer(self, batch: dict[K, list[asyncio.Future[V]]]) -> None:
        self._batch = batch
        self._reading = asyncio.ensure_future(self._read(list(batch)))
        try:
            found = await self._reading
            _refuse_other_types(batch, found)
            for key, futures in batch.items():
                for future in _pending(futures)[:1]:
                    future.set_result(found[key] if key in found else self._missing())
            for key, futures in batch.items():
                for future in _pending(futures):
                    future.set_result(deepcopy(found[key]) if key in found else self._missing())
        except BaseException as error:
            _fail(batch, error)
            task = asyncio.current_task()
            if isinstance(error, asyncio.CancelledError) and task and not task.cancelling():
                return  # only the read was cancelled
            if not isinstance(error, Exception):
                raise
        finally:
            self._reading = None


def _fail(batch: Mapping[K, list[asyncio.Future[V]]], error: BaseException) -> None:
    for futures in batch.values():
        for future in _pending(futures):
            if isinstance(error, asyncio.CancelledError):
                future.cancel()
            else:
                future.set_exception(error)


def _refuse_other_types(batch: Mapping[K, list[asyncio.Future[V]]], found: Mapping[K, V]) -> None:
    """Refuse keys that have found a row, but are of another type than its key."""
    others = [key for key in found if key not in batch]
    if not others:
        return
    missing = [key for key in batch if key not in found]
    wrong = [key for key in missing if _types(key) != _types(others[0])] or missing
    for key in wrong:
        why = f"{others[0]!r} is the key of a row, but not {key!r}"
        for future in _pending(batch[key]):
            future.set_exception(TypeError(f"pass keys as the rows have them: {why}"))


def _types(key: object) -> list[type]:
    if isinstance(key, tuple):
        return [type(value) for value in cast("tuple[object, ...]", key)]
    return [type(key)]


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


def _in_utc(key: object, kinds: Sequence[str]) -> object:
    """Return a key whose times are in UTC: in a repeated hour, other time zones equal none."""
    values = [
        value.astimezone(UTC) if kind == "aware" and isinstance(value, datetime) else value
        for value, kind in zip(_values(key, len(kinds)), kinds, strict=False)
    ]
    if "aware" not in kinds:
        return key
    return tuple(values) if len(kinds) > 1 else values[0]


def _turn_of(db: object, loop: asyncio.AbstractEventLoop) -> _Turn | None:
    """Return the turn of a connection in a loop; its loaders share it. A pool has none."""
    if db is None or hasattr(db, "acquire"):
        return None
    return _turns.setdefault((id(db), id(loop)), _Turn(loop))


def _pending(futures: list[asyncio.Future[V]]) -> list[asyncio.Future[V]]:
    return [future for future in futures if not future.done()]
'''
