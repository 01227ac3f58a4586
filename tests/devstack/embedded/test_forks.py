"""Programs forked from shared imports behave like spawned programs."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from devstack.embedded import children
from devstack.embedded.forks import Adopted, Forks
from devstack.testing.wait import eventually

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks are for Linux")

TELL = """
    import json, os, sys
    files = [f"/proc/self/fd/{name}" for name in os.listdir("/proc/self/fd")]
    print(json.dumps({
        "argv": sys.argv[1:],
        "env": dict(os.environ),
        "files": sorted(os.readlink(file)[:4] for file in files if os.path.exists(file)),
        "imported": "wave" in sys.modules,
        "name": __name__,
        "parent": os.getppid(),
        "session": os.getsid(0) == os.getpid(),
        "stdin": sys.stdin.read(),
        "tasks": len(os.listdir("/proc/self/task")),
    }))
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with modules that the programs can import."""
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{Path.cwd()}")
    return tmp_path


@pytest.fixture
def forks() -> Iterator[Callable[..., Forks]]:
    made: list[Forks] = []

    def new(*modules: str) -> Forks:
        made.append(Forks(modules, os.environ))
        return made[-1]

    yield new
    for one in made:
        one.close()


@pytest.fixture
def program(folder: Path) -> Callable[[str, str], list[str]]:
    def write(name: str, code: str) -> list[str]:
        (folder / f"{name}.py").write_text(textwrap.dedent(code))
        return [sys.executable, "-m", name]

    return write


def started(forks: Forks, command: list[str], **env: str) -> Adopted:
    found = forks.fork(command, env={**os.environ, **env}, death_signal=signal.SIGTERM)
    assert found is not None
    return found


async def said(child: Adopted | subprocess.Popen[bytes]) -> str:
    with child.stdout:
        return (await asyncio.to_thread(child.stdout.read)).decode()


async def test_a_forked_program_cannot_tell_itself_from_a_spawned_one(forks, program):
    command = [*program("tell", TELL), "--one", "two"]
    sharing = forks("wave")
    assert await sharing.ready() is None
    forked = started(sharing, command, SOME="value")
    spawned = children.spawn(command, log=subprocess.PIPE, env={**os.environ, "SOME": "value"})
    one, other = [json.loads(await said(child)) for child in (forked, spawned)]
    assert (forked.wait(60), spawned.wait(60)) == (0, 0)
    assert (one.pop("imported"), other.pop("imported")) == (True, False)
    assert one == other
    assert one["parent"] == os.getpid()


async def test_a_forked_program_reads_what_it_is_given_to_the_end(forks, program):
    command = program("echo", "import sys; print([*sys.stdin])")
    sharing = forks()
    await sharing.ready()
    forked = sharing.fork(command, env=os.environ, stdin=b"a secret\nand more")
    assert await said(forked) == "['a secret\\n', 'and more']\n"
    assert forked.wait(60) == 0


async def test_a_forked_program_is_found_by_its_command_line(forks, program):
    command = program("sleeper", "import time; print('here', flush=True); time.sleep(60)")
    sharing = forks()
    await sharing.ready()
    forked = started(sharing, command)
    found = psutil.Process(forked.pid)
    assert " ".join(filter(None, found.cmdline())) == " ".join(command)
    assert found.name() == Path(sys.executable).name
    forked.kill()
    forked.wait(60)
    await said(forked)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("raise SystemExit(3)", 3),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
        ("raise RuntimeError('as said')", 1),
        ("", 0),
    ],
)
async def test_how_a_forked_program_ended_is_known(forks, program, code, status):
    sharing = forks()
    await sharing.ready()
    forked = started(sharing, program("ending", code))
    text = await said(forked)
    assert await asyncio.to_thread(forked.wait, 5) == status
    assert ("RuntimeError: as said" in text) == (status == 1)


async def test_each_program_has_its_own_environment_but_what_imports_have_set(
    forks, program, folder, monkeypatch
):
    (folder / "sets.py").write_text("import os; os.environ['QUIET'] = 'yes'")
    monkeypatch.setenv("OF_THE_MASTER", "1")
    tell = program("tell", TELL)
    sharing = forks("sets")
    await sharing.ready()
    seen = []
    for name in ("ONE", "TWO"):
        env = {"PYTHONPATH": os.environ["PYTHONPATH"], name: "1"}
        forked = sharing.fork(tell, env=env, death_signal=signal.SIGTERM)
        seen.append(json.loads(await said(forked))["env"])
        forked.wait(60)
    assert [sorted(env) for env in seen] == [
        ["ONE", "PYTHONPATH", "QUIET"],
        ["PYTHONPATH", "QUIET", "TWO"],
    ]


async def test_ids_made_in_two_forks_differ(forks, program):
    command = program(
        "ids", "import random\nfrom lib.ids import new_id\nprint(new_id(), random.random())"
    )
    sharing = forks("lib.ids", "random")
    await sharing.ready()
    forked = [started(sharing, command) for _ in range(5)]
    words = [word for child in forked for word in (await said(child)).split()]
    assert [child.wait(60) for child in forked] == [0] * 5
    assert len(set(words)) == 10


async def test_a_program_outlives_the_process_it_was_forked_from(forks, program):
    sharing = forks()
    await sharing.ready()
    forked = started(sharing, program("sleeper", "import time; time.sleep(60)"))
    sharing.close()
    with pytest.raises(subprocess.TimeoutExpired):
        await asyncio.to_thread(forked.wait, 0.3)
    children.stop(forked, within=30)
    assert forked.returncode == -signal.SIGTERM
    forked.stdout.close()


async def test_without_the_process_to_fork_there_is_no_fork(forks, program):
    command = program("tell", TELL)
    sharing = forks()
    assert sharing.fork(command, env={}, death_signal=signal.SIGTERM) is None  # not ready yet
    await sharing.ready()
    (server,) = [
        p for p in psutil.Process().children() if "devstack.embedded.forkserver" in p.cmdline()
    ]
    server.kill()
    server.wait(60)
    assert sharing.fork(command, env={}, death_signal=signal.SIGTERM) is None
    assert sharing.fork(command, env={}, death_signal=signal.SIGTERM) is None


async def test_an_import_that_fails_is_told_in_its_last_line(forks):
    sharing = forks("no_such_module")
    assert await sharing.ready() == "ModuleNotFoundError: No module named 'no_such_module'"


async def test_nothing_outlives_a_killed_master(program):
    command = program("sleeper", "import time; time.sleep(60)")
    script = f"""
        import asyncio, os, signal
        from devstack.embedded.forks import Forks

        async def main():
            forks = Forks([], os.environ)
            await forks.ready()
            child = forks.fork({command!r}, env=dict(os.environ), death_signal=signal.SIGTERM)
            print(child.pid, forks._server.pid, flush=True)
            await asyncio.sleep(60)

        asyncio.run(main())
    """
    master = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True
    )
    pids = (await asyncio.to_thread(master.stdout.readline)).split()
    left = [psutil.Process(int(pid)) for pid in pids]
    master.kill()
    master.wait()
    await eventually(lambda: all(not one.is_running() or one.status() == "zombie" for one in left))
    master.stdout.close()
