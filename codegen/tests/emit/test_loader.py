"""The loader in generated packages: which calls share a batch, and the result of each."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aiosqlc.emit.loader import LOADER

_MODULE: dict[str, Any] = {"__name__": "loader"}
exec(LOADER, _MODULE)
Loader = _MODULE["Loader"]
_DAY, _AWARE = date(2000, 1, 1), datetime(2000, 1, 1, tzinfo=UTC)
_NAIVE = _AWARE.replace(tzinfo=None)


class Reads:
    """Read keys of a dict, record each batch, and wait in it until the test continues."""

    def __init__(self, *, held: bool = False, failing: Iterable[int] = ()) -> None:
        self.batches: list[list[int]] = []
        self.running = 0
        self.go = asyncio.Event()
        self.failing = set(failing)
        if not held:
            self.go.set()

    async def __call__(self, keys: list[int]) -> dict[int, str]:
        self.batches.append(keys)
        self.running += 1
        assert self.running == 1, "two batches at once on one connection"
        try:
            await self.go.wait()
            if self.failing & set(keys):
                raise LookupError(f"no {keys}")
            return {key: f"row {key}" for key in keys if key < 100}
        finally:
            self.running -= 1


def loader(read: Callable[..., Awaitable[Any]], most: int = 1000) -> Any:
    return Loader(read, lambda: None, most)


async def settle() -> None:
    """Run everything that can run before the test continues."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_the_calls_of_one_tick_share_a_batch_and_equal_keys_one_place() -> None:
    read = Reads()
    load = loader(read).load
    found = await asyncio.gather(*(load(key) for key in (1, 2, 1, 900)))
    assert found == ["row 1", "row 2", "row 1", None]
    assert read.batches == [[1, 2, 900]]


async def test_calls_inside_helpers_and_tasks_share_it_too() -> None:
    read = Reads()
    load = loader(read).load

    async def helper(key: int) -> str:
        return f"<{await load(key)}>"

    tasks = [asyncio.create_task(helper(key)) for key in (1, 2)]
    assert await asyncio.gather(*tasks, helper(3), load(4)) == [
        "<row 1>",
        "<row 2>",
        "<row 3>",
        "row 4",
    ]
    assert len(read.batches) == 1
    assert sorted(read.batches[0]) == [1, 2, 3, 4]


async def test_tasks_that_a_waiting_task_starts_are_in_the_same_batch() -> None:
    read = Reads()
    load = loader(read).load

    async def inner() -> list[str]:
        return await asyncio.gather(load(2), load(3))

    assert await asyncio.gather(load(1), inner()) == ["row 1", ["row 2", "row 3"]]
    assert read.batches == [[1, 2, 3]]


async def test_calls_one_after_another_do_not_wait_for_more_and_nothing_is_kept() -> None:
    read = Reads()
    load = loader(read).load
    assert [await load(1), await load(1)] == ["row 1", "row 1"]
    assert read.batches == [[1], [1]]


async def test_a_batch_has_at_most_so_many_keys_and_batches_wait_for_each_other() -> None:
    read = Reads()
    load = loader(read, 2).load
    assert await asyncio.gather(*map(load, range(5))) == [f"row {key}" for key in range(5)]
    assert read.batches == [[0, 1], [2, 3], [4]]


async def test_a_call_during_a_batch_is_in_the_next_one() -> None:
    read = Reads(held=True)
    load = loader(read).load
    first = asyncio.create_task(load(1))
    await settle()
    later = [asyncio.create_task(load(key)) for key in (1, 2)]
    await settle()
    assert read.batches == [[1]]
    read.go.set()
    assert await asyncio.gather(first, *later) == ["row 1", "row 1", "row 2"]
    assert read.batches == [[1], [1, 2]]


async def test_each_waiting_call_gets_the_error_and_the_next_batch_runs() -> None:
    read = Reads(failing=[1])
    load = loader(read, 2).load
    found = await asyncio.gather(*map(load, (1, 2, 3)), load(1), return_exceptions=True)
    assert [type(one) for one in found] == [LookupError, LookupError, str, LookupError]
    assert await load(3) == "row 3"


async def test_a_cancelled_call_disturbs_no_other_and_its_key_is_not_read() -> None:
    read = Reads(held=True)
    load = loader(read).load
    tasks = [asyncio.create_task(load(key)) for key in (1, 2, 2)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    await settle()
    tasks[1].cancel()
    await settle()
    assert read.batches == [[2]]
    read.go.set()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(one) for one in found] == [asyncio.CancelledError, asyncio.CancelledError, str]


async def test_if_every_call_is_cancelled_nothing_is_read() -> None:
    read = Reads()
    task = asyncio.create_task(loader(read).load(1))
    await asyncio.sleep(0)
    task.cancel()
    await settle()
    assert read.batches == []


async def test_a_cancelled_batch_cancels_its_calls() -> None:
    read = Reads(held=True)
    found = loader(read)
    task = asyncio.create_task(found.load(1))
    await settle()
    found._task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    read.go.set()
    assert await found.load(2) == "row 2"


def test_a_batch_needs_a_key() -> None:
    with pytest.raises(ValueError, match="max_batch must be at least 1, not 0"):
        loader(None, 0)  # type: ignore[arg-type]  # not called


async def test_two_calls_for_one_key_do_not_share_their_result() -> None:
    async def read(keys: list[int]) -> dict[int, list[list[int]]]:
        return {key: [[key]] for key in keys}

    load = Loader(read, list).load
    one, other = await asyncio.gather(load(1), load(1))
    one[0].append(2)
    one.append([3])
    assert other == [[1]]
    none, nothing = await asyncio.gather(load(1), load(1))
    assert none == nothing


async def test_a_result_that_cannot_be_copied_fails_only_the_second_call() -> None:
    async def read(keys: list[int]) -> dict[int, object]:
        return {key: memoryview(b"") for key in keys}

    load = Loader(read, lambda: None).load
    found = await asyncio.gather(load(1), load(1), load(2), return_exceptions=True)
    assert [type(one) for one in found] == [memoryview, TypeError, memoryview]


@pytest.mark.parametrize(
    ("given", "held"),
    [
        (_NAIVE, _AWARE),
        (_NAIVE, _DAY),
        ("7", 7),
    ],
)
async def test_a_key_that_is_unlike_the_key_of_its_row_is_an_error(
    given: object, held: object
) -> None:
    async def read(keys: list[object]) -> dict[object, str]:
        return {held if key == given else key: "row" for key in keys if key != "none"}

    load = loader(read).load
    assert await load("none") is None
    with pytest.raises(TypeError, match="pass keys as the rows have them"):
        await load(given)
    assert await load(held) == "row"
    found = await asyncio.gather(load(given), load(held), load("x"))
    assert found[1:] == ["row", "row"]


@pytest.mark.parametrize(
    ("kind", "right", "wrong"),
    [
        ("date", [_DAY, "text"], [_NAIVE, _AWARE]),
        ("aware", [_AWARE, 3], [_NAIVE, _DAY]),
        ("naive", [_NAIVE], [_AWARE, _DAY]),
        ("", [_NAIVE, _AWARE, _DAY], []),
    ],
)
async def test_a_date_of_another_kind_is_refused_before_the_batch(
    kind: str, right: list[object], wrong: list[object]
) -> None:
    reads: list[object] = []

    async def read(keys: list[object]) -> dict[object, str]:
        reads.extend(keys)
        return {}

    load = Loader(read, lambda: None, 9, None, (kind,)).load
    pair = Loader(read, lambda: None, 9, None, ("", kind)).load
    for key in right:
        assert await load(key) is None
        assert await pair((_NAIVE, key)) is None
    for key in wrong:
        with pytest.raises(TypeError, match="but the key of the rows is"):
            await load(key)
        with pytest.raises(TypeError, match="but the key of the rows is"):
            await pair((key, key))
    assert len(reads) == 2 * len(right)


class Plain:
    pass


class Slots:
    __slots__ = ()


class Unhashable:
    __hash__ = None  # type: ignore[assignment]


@pytest.mark.parametrize("kind", [Plain, Slots, Unhashable])
async def test_loaders_of_one_connection_take_turns(kind: type) -> None:
    read, connection = Reads(held=True), kind()
    loaders = [Loader(read, lambda: None, 1000, connection) for _ in range(3)]
    tasks = [asyncio.create_task(one.load(key)) for key, one in enumerate(loaders)]
    await settle()
    assert read.batches == [[0]]
    tasks += [asyncio.create_task(loaders[2].load(9))]
    await settle()
    read.go.set()
    assert await asyncio.gather(*tasks) == ["row 0", "row 1", "row 2", "row 9"]
    assert read.batches == [[0], [1], [2, 9]]


async def test_loaders_of_a_pool_do_not_wait_for_each_other() -> None:
    class Pool:
        def acquire(self) -> None: ...

    for db in (Pool(), None):
        reads, ready = [Reads(held=True), Reads(held=True)], []
        ready = [asyncio.create_task(Loader(one, list, 10, db).load(1)) for one in reads]
        await settle()
        assert [one.batches for one in reads] == [[[1]], [[1]]]
        for one in reads:
            one.go.set()
        assert await asyncio.gather(*ready) == ["row 1", "row 1"]


def test_loaders_of_one_connection_take_turns_in_each_event_loop() -> None:
    connection = Slots()
    read = Reads()
    loaders = [Loader(read, lambda: None, 1000, connection) for _ in range(2)]

    async def both() -> list[str]:
        return list(await asyncio.gather(*(one.load(1) for one in loaders)))

    for _ in range(2):
        read.go = asyncio.Event()
        read.go.set()
        assert asyncio.run(both()) == ["row 1", "row 1"]


async def test_the_connection_is_free_when_the_last_waiting_call_is_cancelled() -> None:
    read = Reads(held=True)
    one = loader(read)
    tasks = [asyncio.create_task(one.load(key)) for key in (1, 2)]
    await settle()
    tasks[0].cancel()
    await settle()
    assert read.running == 1  # somebody still waits
    tasks[1].cancel()
    await asyncio.wait(tasks)
    assert read.running == 0
    read.go.set()
    assert await one.load(3) == "row 3"


async def test_calls_that_wait_get_the_end_of_a_run() -> None:
    read = Reads(held=True)
    one = loader(read, 1)
    tasks = [asyncio.create_task(one.load(key)) for key in (1, 2)]
    await settle()
    one._task.cancel()
    done, _ = await asyncio.wait(tasks)
    assert all(task.cancelled() for task in done)


async def test_a_read_that_is_cancelled_leaves_the_next_batch() -> None:
    batches: list[list[int]] = []

    async def read(keys: list[int]) -> dict[int, str]:
        batches.append(keys)
        if keys == [1]:
            raise asyncio.CancelledError
        return {2: "row 2"}

    load = loader(read, 1).load
    found = await asyncio.gather(load(1), load(2), return_exceptions=True)
    assert (type(found[0]), found[1]) == (asyncio.CancelledError, "row 2")


async def test_a_wrong_key_fails_no_call_with_a_right_one() -> None:
    async def read(keys: list[object]) -> dict[object, str]:
        return {7: "row"}

    load = loader(read).load
    found = await asyncio.gather(load("7"), load(8), return_exceptions=True)
    assert (type(found[0]), found[1]) == (TypeError, None)


async def test_a_time_in_a_repeated_hour_finds_its_row() -> None:
    local = datetime(2024, 10, 27, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"))

    async def read(keys: list[object]) -> dict[object, str]:
        return {local.astimezone(UTC): "row"}

    assert await Loader(read, lambda: None, 9, None, ("aware",)).load(local) == "row"
    pair = Loader(read, lambda: None, 9, None, ("aware", ""))
    with pytest.raises(TypeError):  # the row has no second value
        await pair.load((local, 1))
