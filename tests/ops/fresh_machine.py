"""The first steps of a user with the machine's Python: install, start, request, stop, compile.

`python3 tests/ops/fresh_machine.py [PYTHON...]` runs them in a copy of this folder and prints the
time of each step. Without names, it uses each Python that it finds. It needs only the standard
library, so it runs before anything is installed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STEPS = ("install", "start", "answer", "stop", "compile")
OLDEST = (3, 11)
# A deadline, not a measure: a first run without a cache and on a busy machine is far below.
SECONDS = 900.0
# What a clone has not.
NOT_CLONED = (
    ".git", ".env", ".venv", ".run", ".cache", "__pycache__", "node_modules", "*.egg-info",
    ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis",
)  # fmt: skip

PROGRAM = """
import asyncio
import os

import asyncpg
from store import queries


async def main() -> None:
    connection = await asyncpg.connect(os.environ["DATABASE_URL"])
    await queries.add_author(connection, name="Ada", bio=None)
    print([author.name for author in await queries.list_authors(connection)])


asyncio.run(main())
"""


class FailedError(Exception):
    """A step failed; the message has its output."""


def pythons() -> dict[str, str]:
    """Return the Pythons here that are new enough, by their version such as `3.13`."""
    folders = [
        *sorted((Path.home() / ".pyenv" / "versions").glob("*/bin")),
        *(Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder),
    ]
    found: dict[tuple[int, ...], str] = {}
    for program in (path for folder in folders for path in sorted(folder.glob("python3*"))):
        if re.fullmatch(r"python3(\.\d+t?)?", program.name) and (version := _version(program)):
            found.setdefault(version, str(program))
    return {f"{major}.{minor}": found[major, minor, patch] for major, minor, patch in sorted(found)}


def _version(program: Path) -> tuple[int, ...] | None:
    """Return the version of a Python that can create environments, or None for any other."""
    code = "import ensurepip, sys, venv; print(*sys.version_info[:3])"
    try:
        done = subprocess.run(
            [program, "-c", code], capture_output=True, text=True, check=True, timeout=60
        )
        version = tuple(int(part) for part in done.stdout.split())
    except (OSError, ValueError, subprocess.SubprocessError):
        return None  # a shim of a version that is not chosen, or a Debian without python3-venv
    return version if version[:2] >= OLDEST else None


def smoke(python: str, folder: Path) -> dict[str, float]:
    """Run the steps with a Python in an empty folder; return the seconds of each.

    Raises `FailedError` if a step fails.
    """
    clone = folder / "clone"
    shutil.copytree(ROOT, clone, ignore=shutil.ignore_patterns(*NOT_CLONED), symlinks=True)
    seconds: dict[str, float] = {}

    @contextmanager
    def timed(step: str) -> Iterator[None]:
        begun = time.monotonic()
        yield
        seconds[step] = time.monotonic() - begun

    with timed("install"):
        _run(clone, "make", f"PYTHON={python}", ".venv/.local")
    environ = {**_environ(), **_ports(clone)}
    with _logged(clone, folder / "stack.log", environ) as (stack, said):
        with timed("start"):
            _until(lambda: "ready; press Ctrl-C" in said(), stack, said)
        url = f"http://127.0.0.1:{environ['GATEWAY_PORT']}/api/departments/v1/departments"
        with timed("answer"), urllib.request.urlopen(url, timeout=60) as answer:
            body = json.loads(answer.read())
        if not body.get("data"):
            raise FailedError(f"{url} answered {body}")
        with timed("stop"):
            os.killpg(stack.pid, signal.SIGINT)  # as a terminal does
            stack.wait(SECONDS)
        if "stopped; the data stays" not in said():  # make itself ends by the signal
            raise FailedError(f"make run ended with {stack.returncode}:\n{said()}")
        _refuse_warnings(said())
    with timed("compile"):
        _compile(clone, folder)
    return seconds


def _compile(clone: Path, folder: Path) -> None:
    programs = clone / ".venv" / "bin"
    said = _run(folder, programs / "aiosqlc", "init", "shop")
    (folder / "shop" / "main.py").write_text(PROGRAM)
    said += _run(folder, programs / "aiosqlc", "generate", "-f", "shop")
    served = _run(
        folder / "shop", programs / "aiosqlc", "serve", "--", programs / "python", "main.py"
    )
    if "['Ada']" not in served:
        raise FailedError(f"the generated function was called and printed: {served}")
    _refuse_warnings(said + served)


def _refuse_warnings(said: str) -> None:
    if warned := re.findall(r".*\w+Warning: .*", said):
        raise FailedError("this Python warns:\n" + "\n".join(warned))


def _environ() -> dict[str, str]:
    """Return the environment of a login, without the variables of the current environment."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "VIRTUAL_ENV", "MAKE", "MFLAGS", "COV_", "PYTEST"))
    }
    return {**kept, "PYTHONWARNINGS": "default::DeprecationWarning"}


def _ports(clone: Path) -> dict[str, str]:
    code = (
        "import json; from devstack.settings import MONITORING_PORTS as m, PORTS as p;"
        "print(json.dumps(['GATEWAY_PORT', 'POSTGRES_PORT', 'REDIS_PORT', *p, *m]))"
    )
    names = json.loads(_run(clone, clone / ".venv" / "bin" / "python", "-c", code).splitlines()[-1])
    held = [socket.create_server(("127.0.0.1", 0)) for _ in names]
    free = [str(one.getsockname()[1]) for one in held]
    for one in held:
        one.close()
    return dict(zip(names, free, strict=True))


def _run(folder: Path, *command: str | Path) -> str:
    done = subprocess.run(
        [*map(str, command)], cwd=folder, env=_environ(), text=True, check=False, timeout=SECONDS,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    if done.returncode:
        words = " ".join(map(str, command))
        raise FailedError(f"{words} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


@contextmanager
def _logged(
    clone: Path, log: Path, environ: dict[str, str]
) -> Iterator[tuple[subprocess.Popen[bytes], Callable[[], str]]]:
    """Run `make run` with its output in a file; always stop it afterwards."""
    with log.open("wb") as out:
        stack = subprocess.Popen(
            ["make", "run"], cwd=clone, env=environ, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        yield stack, lambda: log.read_text(errors="replace")
    finally:
        if stack.poll() is None:
            os.killpg(stack.pid, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                stack.wait(60)
            stack.kill()
            stack.wait()


def _until(
    is_so: Callable[[], bool], stack: subprocess.Popen[bytes], said: Callable[[], str]
) -> None:
    deadline = time.monotonic() + SECONDS
    while not is_so():
        if stack.poll() is not None or time.monotonic() > deadline:
            raise FailedError(f"make run was not ready:\n{said()[-4000:]}")
        time.sleep(0.05)


def main(argv: list[str]) -> int:
    """Print a table of the steps' seconds; return 1 if a step failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("pythons", nargs="*", metavar="PYTHON")
    chosen = parser.parse_args(argv).pythons
    print(f"{'Python':24}" + "".join(f"{step:>9}" for step in STEPS))
    failed = 0
    for name, python in ({name: name for name in chosen} or pythons()).items():
        with tempfile.TemporaryDirectory(prefix="fresh-", ignore_cleanup_errors=True) as folder:
            try:
                seconds = smoke(python, Path(folder))
            except FailedError as error:
                failed = 1
                print(f"{name:24} failed: {error}")
                continue
        print(f"{name:24}" + "".join(f"{seconds[step]:9.1f}" for step in STEPS), flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
