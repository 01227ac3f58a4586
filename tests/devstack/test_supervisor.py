"""The supervisor with real child processes that start, die, hang and are restarted."""

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

from devstack.embedded import children
from devstack.program import Program
from devstack.supervisor import StartError, Supervisor, spawn
from devstack.testing.wait import DEADLINE, eventually

ROOT = Path(__file__).resolve().parents[2]


def python(code: str) -> list[str]:
    return [sys.executable, "-u", "-c", textwrap.dedent(code)]


async def always() -> bool:
    return True


@pytest.fixture
async def keep():
    """Create supervisors that stop after the test; `said` and `relayed` collect their output."""
    made: list[Supervisor] = []

    def new(command: list[str], **options) -> Supervisor:
        new.said, new.relayed = [], []
        program = Program(
            name="program", command=command, ready=options.pop("ready", always), **options
        )
        relay = lambda name, lines: new.relayed.extend((name, x) for x in lines.split("\n"))  # noqa: E731
        made.append(Supervisor(program, say=new.said.append, relay=relay))
        return made[-1]

    yield new
    for supervisor in made:
        await supervisor.stop()


async def test_what_a_program_writes_is_relayed_under_its_name(keep):
    supervisor = keep(python("import time; print('hello'); time.sleep(60)"))
    await supervisor.start()
    await eventually(lambda: ("program", "hello") in keep.relayed)


async def test_a_line_with_the_noise_of_a_program_is_not_relayed(keep):
    code = "import time; print('one\\nadvice: tune the kernel\\ntwo'); time.sleep(60)"
    supervisor = keep(python(code), noise="tune the kernel")
    await supervisor.start()
    await eventually(lambda: ("program", "two") in keep.relayed)
    assert [line for _, line in keep.relayed] == ["one", "two"]


async def test_a_line_of_megabytes_does_not_stop_the_relay(keep):
    supervisor = keep(python("import time; print('x' * 5_000_000); print('after'); time.sleep(60)"))
    await supervisor.start()
    await eventually(lambda: ("program", "after") in keep.relayed)


async def test_lines_that_come_one_by_one_are_relayed_together(keep, monkeypatch):
    """A wake-up for each line used more CPU time than some of the services."""
    selector = asyncio.get_running_loop()._selector
    wait, waits = selector.select, []
    monkeypatch.setattr(selector, "select", lambda *args: waits.append(1) or wait(*args))
    code = "import time\nfor n in range(900): print(n); time.sleep(0.0005)"
    await keep(python(code)).start()
    async with asyncio.timeout(DEADLINE):
        while len(keep.relayed) < 900:  # seldom: each look is a wake-up, too
            await asyncio.sleep(0.5)
    assert keep.relayed[:900] == [("program", str(number)) for number in range(900)]
    assert len(waits) < 600


async def test_a_program_that_ends_during_its_start_fails_with_its_last_words(keep):
    async def never() -> bool:
        return False

    supervisor = keep(python("raise SystemExit('no such setting')"), ready=never)
    with pytest.raises(StartError, match="program stopped while it was starting: no such setting"):
        await supervisor.start()


async def test_a_program_that_never_gets_ready_fails_in_time(keep):
    async def never() -> bool:
        return False

    supervisor = keep(python("import time; time.sleep(60)"), ready=never, ready_within=0.3)
    with pytest.raises(StartError, match="was not ready within 0 s"):
        await supervisor.start()


async def test_a_killed_program_is_reported_and_brought_back(keep):
    supervisor = keep(python("import time; time.sleep(60)"))
    await supervisor.start()
    first = supervisor.pid
    os.kill(first, signal.SIGKILL)
    await eventually(lambda: supervisor.pid not in (None, first))
    assert keep.said[0] == "program was killed by SIGKILL; restarting in 0.2 s"


async def test_a_program_that_comes_back_is_spawned_with_the_code_as_it_is_then(keep):
    forked = []

    def fork(program: Program) -> children.Child:
        forked.append(program.name)
        return spawn(program)

    supervisor = keep(python("import time; time.sleep(60)"))
    await supervisor.start(fork)
    first = supervisor.pid
    os.kill(first, signal.SIGKILL)
    await eventually(lambda: supervisor.pid not in (None, first))
    await supervisor.restart()
    assert forked == ["program"]


async def test_the_pauses_between_restarts_grow(keep):
    supervisor = keep(python("raise SystemExit(3)"))
    await supervisor.start()
    await eventually(lambda: len([s for s in keep.said if "restarting" in s]) >= 3)
    pauses = [s.split("restarting in ")[1] for s in keep.said if "restarting" in s]
    assert pauses[:3] == ["0.2 s", "0.4 s", "0.8 s"]
    assert "stopped with exit code 3" in keep.said[0]


async def test_stop_kills_a_program_that_ignores_the_signal(keep):
    supervisor = keep(
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
    await supervisor.start()
    await eventually(lambda: ("program", "deaf") in keep.relayed)
    pid = supervisor.pid
    await supervisor.stop()
    assert not psutil.pid_exists(pid)


async def test_stop_takes_the_children_of_a_program_along(keep):
    supervisor = keep(
        python(
            """
            import subprocess, sys, time
            print(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]).pid)
            time.sleep(60)
            """
        )
    )
    await supervisor.start()
    await eventually(lambda: bool(keep.relayed))
    grandchild = psutil.Process(int(keep.relayed[0][1]))
    await supervisor.stop()
    await eventually(lambda: not grandchild.is_running() or grandchild.status() == "zombie")


async def test_a_program_does_not_outlive_a_killed_stack():
    script = """
        import asyncio, sys
        from devstack.program import Program
        from devstack.supervisor import Supervisor

        async def main():
            async def ready(): return True
            sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
            program = Program(name="p", command=sleep, ready=ready)
            supervisor = Supervisor(program, say=print, relay=print)
            await supervisor.start()
            print(supervisor.pid, flush=True)
            await asyncio.sleep(60)

        asyncio.run(main())
    """
    parent = subprocess.Popen(python(script), cwd=ROOT, stdout=subprocess.PIPE, text=True)
    child = psutil.Process(int(await asyncio.to_thread(parent.stdout.readline)))
    parent.kill()
    parent.wait()
    await eventually(lambda: not child.is_running() or child.status() == "zombie")
    parent.stdout.close()
