"""Run the stack. If one program cannot start, all started programs are stopped."""

from __future__ import annotations

import asyncio
import fcntl
import os
import select
import signal
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import IO

from devstack import databases, demo, imports, monitoring, programs
from devstack.console import Console
from devstack.embedded.children import Child
from devstack.embedded.forks import Forks
from devstack.embedded.home import OFFSET
from devstack.embedded.ports import trouble
from devstack.program import Program
from devstack.settings import ROOT, Settings
from devstack.supervisor import StartError, Supervisor, spawn

_MONITORING = ("nginx-exporter", "blackbox-exporter", "prometheus")


async def run(settings: Settings, forks: Forks, *, watch: str | None = None) -> None:
    """Run the stack until SIGINT or SIGTERM. Restart the service named `watch` if its code changes.

    On its first start, a service is forked from `forks`; on a later start, it is spawned with its
    present code.

    Raises StartError if a program cannot start; no program is left running then.
    """
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    with _only_one(settings):
        _refuse_busy_ports(settings)
        console = Console(
            ["postgres", "redis", *(s.name for s in settings.services), "nginx", *_MONITORING]
        )
        async with AsyncExitStack() as stack:  # leaves in reverse order, whatever happens
            stack.push_async_callback(_cancel, asyncio.create_task(_hang_up(stopping)))
            starting = asyncio.create_task(_start(settings, forks, console, stack))
            await _first(starting, stopping)
            if starting.done():
                supervisors = starting.result()
                console.table(
                    [*_addresses(settings), *monitoring.addresses(settings, set(supervisors))]
                )
                console.say("ready; press Ctrl-C to stop")
                if watch:
                    stack.push_async_callback(
                        _cancel, asyncio.create_task(_reload(supervisors[watch], console))
                    )
                await stopping.wait()
            else:
                await _cancel(starting)
            console.say("stopping")
        console.say("stopped; the data stays in " + _short(settings.home.path))


async def _start(
    settings: Settings, forks: Forks, console: Console, stack: AsyncExitStack
) -> dict[str, Supervisor]:
    """Start everything in order; `stack` stops the started programs in reverse order."""
    kept: dict[str, Supervisor] = {}

    async def start(*several: Program, by: Callable[[Program], Child] = spawn) -> None:
        """Start programs concurrently."""
        started = [Supervisor(program, say=console.say, relay=console.relay) for program in several]
        stack.push_async_callback(_stop_all, started)
        async with asyncio.TaskGroup() as group:
            for supervisor in started:
                group.create_task(_start_one(supervisor, by, console))
        kept.update({one.program.name: one for one in started if one.is_kept})

    try:
        if not (settings.home.path / "postgres" / "PG_VERSION").exists():
            console.say("first run: creating the database cluster")
        cluster = await asyncio.to_thread(programs.database_program, settings.home)
        redis = programs.redis_program(settings.home, [one.name for one in settings.services])
        await start(cluster, redis)
        urls = await asyncio.to_thread(databases.ready, settings.home, settings.environ)
        console.say(f"databases migrated: {', '.join(urls) or 'none'}")
        gateway = programs.gateway_program(settings)
        monitors = await asyncio.to_thread(monitoring.monitoring_programs, settings, console.say)
        fork = await imports.ready(forks, console.say)
        # Beside the services: hashing its password takes as long as one of them.
        adding = asyncio.create_task(demo.administrator(settings, urls, forks))
        stack.push_async_callback(_cancel, adding)
        services = [
            programs.service_program(service, settings, urls) for service in settings.services
        ]
        await start(*services, *monitors, by=fork)
        await start(gateway)
        forks.close()
        demo.introduce(await adding, settings, console.say)
    except ExceptionGroup as several:
        # Several programs may fail at the same time; the reason of the first is enough.
        raise _first_reason(several) from None
    return kept


async def _hang_up(stopping: asyncio.Event) -> None:
    """Stop when the terminal is closed, because the signal SIGHUP may reach only make."""
    if not sys.stdout.isatty():
        return
    terminal = select.poll()
    terminal.register(sys.stdout.fileno(), 0)
    while not terminal.poll(0):  # noqa: ASYNC110 - a terminal sets no event
        await asyncio.sleep(1)
    stopping.set()


async def _start_one(
    supervisor: Supervisor, by: Callable[[Program], Child], console: Console
) -> None:
    try:
        await supervisor.start(by)
    except StartError as error:
        if not supervisor.program.optional:
            raise
        await supervisor.stop()
        console.say(f"continuing without {supervisor.program.name}: {error}")
        return
    console.say(f"{supervisor.program.name} is ready (pid {supervisor.pid})")


async def _stop_all(supervisors: list[Supervisor]) -> None:
    await asyncio.gather(*(supervisor.stop() for supervisor in supervisors))


async def _reload(supervisor: Supervisor, console: Console) -> None:
    """Restart one service when Python or SQL files that it may use change."""
    from watchfiles import PythonFilter, awatch

    folders = [ROOT / "services" / supervisor.program.name, ROOT / "lib"]
    wanted = PythonFilter(extra_extensions=(".sql", ".html"))
    # The time-out (ms) is the longest time that the observer of files delays a Ctrl-C.
    async for _ in awatch(*folders, watch_filter=wanted, rust_timeout=200):
        console.say(f"{supervisor.program.name}: code changed, restarting")
        await supervisor.restart()


async def _first(task: asyncio.Task[dict[str, Supervisor]], event: asyncio.Event) -> None:
    """Wait until the task ends or the event is set."""
    waiter = asyncio.create_task(event.wait())
    await asyncio.wait({task, waiter}, return_when=asyncio.FIRST_COMPLETED)
    await _cancel(waiter)


async def _cancel(task: asyncio.Task[object]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _first_reason(several: ExceptionGroup[Exception]) -> Exception:
    """Return the first StartError in an exception group.

    If the group has no StartError, return the group, because the cause is a bug.
    """
    found: Exception | None = several.subgroup(StartError)
    while isinstance(found, ExceptionGroup):
        found = found.exceptions[0]
    return found or several


class _only_one:  # noqa: N801 - reads as a verb in `with _only_one(settings):`
    """A lock on the run directory, so that two stacks never share a data directory."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._file: IO[str] | None = None

    def __enter__(self) -> None:
        path = self._settings.home.path / "stack.lock"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a+")
        except OSError as error:
            raise StartError(
                f"cannot write data to {path.parent}: {error.strerror}; set RUN_DIR"
            ) from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.seek(0)
            pid, _, port = self._file.read().partition(" ")
            raise StartError(
                f"the stack is already running: python (pid {pid}) serves port {port} "
                f"from {_short(path.parent)}; stop it, or set RUN_DIR and other ports"
            ) from None
        self._file.truncate(0)
        self._file.write(f"{os.getpid()} {self._settings.gateway_port}")
        self._file.flush()

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()


def _refuse_busy_ports(settings: Settings) -> None:
    """Raise a StartError that names every port that a server cannot listen on."""
    busy = [
        f"port {port} {why} ({name})"
        for name, port in settings.ports().items()
        if (why := trouble(port))
    ]
    if busy:
        raise StartError(
            f"{'; '.join(busy)}. Free {'it' if len(busy) == 1 else 'them'}, set the variable named"
            f" in parentheses, or set {OFFSET}=10000 to move every port"
        )


def _addresses(settings: Settings) -> list[tuple[str, str]]:
    gateway = settings.gateway_url
    rows = [("documentation", f"{gateway}/docs/")]
    rows += [
        (s.name, f"{gateway}/api/{s.plural}/v1/  →  http://127.0.0.1:{s.port}/docs")
        for s in settings.services
        if s.public
    ]
    rows += [
        (f"{s.name} (gRPC)", f"127.0.0.1:{s.grpc_port}, health http://127.0.0.1:{s.port}/readyz")
        for s in settings.services
        if s.grpc_port
    ]
    secrets = _short(settings.home.path / "secrets")
    rows.append(("postgres", f"127.0.0.1:{settings.home.postgres_port}, passwords in {secrets}/"))
    rows.append(("redis", f"127.0.0.1:{settings.home.redis_port}, password in {secrets}/redis"))
    return rows


def _short(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
