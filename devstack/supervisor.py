"""Supervise programs: start programs, relay output, restart dead programs, stop in order."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable

from devstack.embedded import children
from devstack.program import Program

FIRST_PAUSE = 0.2  # seconds before the first restart; doubled with each one that follows
LONGEST_PAUSE = 10.0
STEADY_SECONDS = 20.0  # alive for so long, a program has earned a fresh start
POLL_SECONDS = 0.05
GATHER_SECONDS = 0.2  # what is written meanwhile is relayed together
PIPE_BYTES = 1 << 20  # what a program may write meanwhile without waiting for us
LONGEST_LINE = 1 << 20
LAST_WORDS = 5  # lines kept to say why a program ended


class StartError(Exception):
    """The reason why the stack could not start, in one sentence."""


def spawn(program: Program) -> children.Child:
    """Start the program's command with its output in a pipe."""
    return children.spawn(
        program.command,
        log=subprocess.PIPE,
        account=program.account,
        env=program.env,
        death_signal=program.stop_signal,
    )


class Supervisor:
    """Supervise one program from `start()` to `stop()`."""

    def __init__(
        self, program: Program, *, say: Callable[[str], None], relay: Callable[[str, str], None]
    ) -> None:
        self.program = program
        self._say = say
        self._relay = relay
        self._process: children.Child | None = None
        self._reader: asyncio.Task[None] | None = None
        self._watch: asyncio.Task[None] | None = None
        self._tail: deque[str] = deque(maxlen=LAST_WORDS)

    @property
    def pid(self) -> int | None:
        """Return the process ID of the program, or None if the program does not run."""
        return self._process.pid if self._process and self._process.poll() is None else None

    @property
    def is_kept(self) -> bool:
        """Return whether the program has started and is supervised."""
        return self._watch is not None

    async def start(self, spawn: Callable[[Program], children.Child] = spawn) -> None:
        """Start the program and wait until it is ready.

        Raises StartError with the last lines of the program's output.
        """
        self._spawn(spawn)
        deadline = time.monotonic() + self.program.ready_within
        while not await self.program.ready():
            if self.pid is None:
                self._clear_away()
                await self._read_to_end()
                raise StartError(
                    f"{self.program.name} stopped while it was starting: {self._last_words()}"
                )
            if time.monotonic() > deadline:
                raise StartError(
                    f"{self.program.name} was not ready within {self.program.ready_within:.0f} s: "
                    f"{self._last_words()}"
                )
            await asyncio.sleep(POLL_SECONDS)
        self._watch = asyncio.create_task(self._keep_alive(), name=f"keep {self.program.name}")

    async def restart(self) -> None:
        """Restart the program because its code has changed."""
        await self.stop()
        self._spawn()
        self._watch = asyncio.create_task(self._keep_alive(), name=f"keep {self.program.name}")
        await self._report_return()

    async def stop(self) -> None:
        """Stop the program for good; do nothing if it does not run.

        When this method returns, the program has ended.
        """
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
            self._watch = None
        if self._process is not None:
            await asyncio.to_thread(
                children.stop,
                self._process,
                by=self.program.stop_signal,
                within=self.program.stop_within,
            )
        await self._read_to_end()

    async def _read_to_end(self) -> None:
        """Read the last lines of an ended program, without waiting for its grandchildren."""
        if self._reader is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._reader, timeout=1)
            self._reader = None

    async def _keep_alive(self) -> None:
        pause = FIRST_PAUSE
        while True:
            since = time.monotonic()
            await self._ended()
            self._clear_away()
            if time.monotonic() - since > STEADY_SECONDS:
                pause = FIRST_PAUSE
            self._say(f"{self.program.name} {self._how_it_ended()}; restarting in {pause:.1f} s")
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
            try:
                self._spawn()
            except OSError as error:
                self._say(f"{self.program.name} cannot be started: {error}")
                continue
            await self._report_return()

    async def _ended(self) -> None:
        """Wait for the end of the program: by a kernel event if available, else by polling."""
        number = self.pid
        if number is None:
            return
        try:
            descriptor = os.pidfd_open(number)
        except (AttributeError, OSError):
            pass  # another system, or it has just ended
        else:
            loop, ended = asyncio.get_running_loop(), asyncio.Event()
            loop.add_reader(descriptor, ended.set)
            try:
                await ended.wait()
            finally:
                loop.remove_reader(descriptor)
                os.close(descriptor)
        while self.pid is not None:  # noqa: ASYNC110 - the exit status must be polled
            await asyncio.sleep(POLL_SECONDS)

    async def _report_return(self) -> None:
        """Report that the program is ready again, or that it did not become ready in time.

        Report nothing if the program has ended.
        """
        within = self.program.ready_within
        deadline = time.monotonic() + within
        while self.pid is not None:
            if await self.program.ready():
                self._say(f"{self.program.name} is back (pid {self.pid})")
                return
            if time.monotonic() > deadline:
                self._say(f"{self.program.name} is running but not ready after {within:.0f} s")
                return
            await asyncio.sleep(POLL_SECONDS)

    def _clear_away(self) -> None:
        """Kill the workers of a killed master process, before other processes get their IDs."""
        if self._process is not None:
            children.kill_group(self._process)

    def _spawn(self, spawn: Callable[[Program], children.Child] = spawn) -> None:
        self._process = spawn(self.program)
        self._reader = asyncio.create_task(self._read(self._process))

    async def _read(self, process: children.Child) -> None:
        """Relay the output of one run of the program. Lines may have any length."""
        if process.stdout is None:
            return
        with process.stdout as pipe:
            os.set_blocking(pipe.fileno(), False)
            _widen(pipe.fileno())
            rest = b""
            while chunk := await _what_is_there(pipe.fileno()):
                lines, end, rest = (rest + chunk).rpartition(b"\n")
                if end:
                    self._relay_lines(lines)
                if len(rest) > LONGEST_LINE:
                    self._relay_lines(b"(a line of more than 1 MiB was dropped)")
                    rest = b""
                # What is written meanwhile stays in the pipe, and costs us one round together.
                await asyncio.sleep(GATHER_SECONDS)
            if rest:
                self._relay_lines(rest)

    def _relay_lines(self, lines: bytes) -> None:
        text = lines.decode(errors="replace").rstrip()
        self._tail.extend(text.rsplit("\n", LAST_WORDS)[-LAST_WORDS:])
        if noise := self.program.noise:
            text = "\n".join(line for line in text.split("\n") if noise not in line)
        if text:
            self._relay(self.program.name, text)

    def _how_it_ended(self) -> str:
        code = self._process.returncode if self._process else None
        if code is not None and code < 0:
            return f"was killed by {signal.Signals(-code).name}"
        return f"stopped with exit code {code}"

    def _last_words(self) -> str:
        said = [line.strip() for line in self._tail if line.strip()]
        return " | ".join(said[-2:]) or "it said nothing"


def _widen(pipe: int) -> None:
    """Enlarge the buffer of the pipe, if the system supports and allows it."""
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        with contextlib.suppress(OSError):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)


async def _what_is_there(pipe: int) -> bytes:
    """Wait until the pipe has data, and return it. Return empty bytes at the end of the output.

    A StreamReader would wake up for each line of output, even if no caller reads.
    """
    loop = asyncio.get_running_loop()
    while True:
        try:
            return os.read(pipe, PIPE_BYTES)
        except BlockingIOError:
            there = asyncio.Event()
            loop.add_reader(pipe, there.set)
            try:
                await there.wait()
            finally:
                loop.remove_reader(pipe)
