"""The supervisor: real child processes that start, die, hang and are brought back."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import psutil
import pytest

from lib.embedded import children
from lib.testing.wait import eventually
from services._stack.part import Part
from services._stack.supervisor import Keeper, StartError, spawn

ROOT = Path(__file__).resolve().parents[3]


def python(code: str) -> list[str]:
    return [sys.executable, "-u", "-c", textwrap.dedent(code)]


async def always() -> bool:
    return True


@pytest.fixture
async def keep():
    """Make keepers that are stopped after the test; `said` and `relayed` collect their words."""
    made: list[Keeper] = []

    def new(command: list[str], **options) -> Keeper:
        new.said, new.relayed = [], []
        part = Part(name="part", command=command, ready=options.pop("ready", always), **options)
        relay = lambda name, line: new.relayed.append((name, line))  # noqa: E731
        made.append(Keeper(part, say=new.said.append, relay=relay))
        return made[-1]

    yield new
    for keeper in made:
        await keeper.stop()


async def test_what_a_part_writes_is_relayed_under_its_name(keep):
    keeper = keep(python("import time; print('hello'); time.sleep(60)"))
    await keeper.start()
    await eventually(lambda: ("part", "hello") in keep.relayed)


async def test_a_line_of_megabytes_does_not_stop_the_relay(keep):
    keeper = keep(python("import time; print('x' * 5_000_000); print('after'); time.sleep(60)"))
    await keeper.start()
    await eventually(lambda: ("part", "after") in keep.relayed)


async def test_a_part_that_ends_during_its_start_fails_with_its_last_words(keep):
    async def never() -> bool:
        return False

    keeper = keep(python("raise SystemExit('no such setting')"), ready=never)
    with pytest.raises(StartError, match="part ended during its start: no such setting"):
        await keeper.start()


async def test_a_part_that_never_gets_ready_fails_in_time(keep):
    async def never() -> bool:
        return False

    keeper = keep(python("import time; time.sleep(60)"), ready=never, ready_within=0.3)
    with pytest.raises(StartError, match="was not ready within 0 s"):
        await keeper.start()


async def test_a_killed_part_is_reported_and_brought_back(keep):
    keeper = keep(python("import time; time.sleep(60)"))
    await keeper.start()
    first = keeper.pid
    os.kill(first, signal.SIGKILL)
    await eventually(lambda: keeper.pid not in (None, first))
    assert keep.said[0] == "part was killed by SIGKILL; restarting in 0.2 s"


async def test_a_part_that_comes_back_is_spawned_with_the_code_as_it_is_then(keep):
    forked = []

    def fork(part: Part) -> children.Child:
        forked.append(part.name)
        return spawn(part)

    keeper = keep(python("import time; time.sleep(60)"))
    await keeper.start(fork)
    first = keeper.pid
    os.kill(first, signal.SIGKILL)
    await eventually(lambda: keeper.pid not in (None, first))
    await keeper.restart()
    assert forked == ["part"]


async def test_the_pauses_between_restarts_grow(keep):
    keeper = keep(python("raise SystemExit(3)"))
    await keeper.start()
    await eventually(lambda: len([s for s in keep.said if "restarting" in s]) >= 3)
    pauses = [s.split("restarting in ")[1] for s in keep.said if "restarting" in s]
    assert pauses[:3] == ["0.2 s", "0.4 s", "0.8 s"]
    assert "ended with exit code 3" in keep.said[0]


async def test_stop_kills_a_part_that_ignores_the_signal(keep):
    keeper = keep(
        python(
            """
            import signal, time
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            print("deaf")
            time.sleep(60)
            """
        ),
        stop_within=0.3,
    )
    await keeper.start()
    await eventually(lambda: ("part", "deaf") in keep.relayed)
    pid = keeper.pid
    await keeper.stop()
    assert not psutil.pid_exists(pid)


async def test_stop_takes_the_children_of_a_part_along(keep):
    keeper = keep(
        python(
            """
            import subprocess, sys, time
            print(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]).pid)
            time.sleep(60)
            """
        )
    )
    await keeper.start()
    await eventually(lambda: bool(keep.relayed))
    grandchild = psutil.Process(int(keep.relayed[0][1]))
    await keeper.stop()
    await eventually(lambda: not grandchild.is_running() or grandchild.status() == "zombie")


async def test_a_part_does_not_outlive_a_killed_stack():
    script = """
        import asyncio, sys
        from services._stack.part import Part
        from services._stack.supervisor import Keeper

        async def main():
            async def ready(): return True
            part = Part(name="p", command=[sys.executable, "-c", "import time; time.sleep(60)"],
                        ready=ready)
            keeper = Keeper(part, say=print, relay=print)
            await keeper.start()
            print(keeper.pid, flush=True)
            await asyncio.sleep(60)

        asyncio.run(main())
    """
    parent = subprocess.Popen(python(script), cwd=ROOT, stdout=subprocess.PIPE, text=True)
    child = psutil.Process(int(await asyncio.to_thread(parent.stdout.readline)))
    parent.kill()
    parent.wait()
    await eventually(lambda: not child.is_running() or child.status() == "zombie")
    parent.stdout.close()
