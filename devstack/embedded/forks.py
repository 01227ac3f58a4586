"""Fork several Python programs from one process that has imported their common modules.

A forked program is like any other child: this module waits for the child, and the child ends with
this process.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from typing import IO, Final

from devstack.embedded import children

READY: Final = b"ready"
IMPORT_SECONDS: Final = 120.0  # a first run compiles all of it
FORK_SECONDS: Final = 10.0
_POLL_SECONDS: Final = 0.01


class Adopted:
    """A child forked by the fork server, with the methods of `Popen` that are needed."""

    def __init__(self, pid: int, command: Sequence[str], stdout: IO[bytes]) -> None:
        self.pid = pid
        self.stdout = stdout
        self.returncode: int | None = None
        self._command = list(command)
        self._one_waits = threading.Lock()  # a second one would find no such child

    def poll(self) -> int | None:
        """Return the exit code, the negated number of a fatal signal, or None while it runs."""
        with self._one_waits:
            if self.returncode is None:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
                if pid:
                    self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end of the child and return its exit code.

        Raises subprocess.TimeoutExpired if the child still runs after `timeout` seconds.
        """
        within = math.inf if timeout is None else timeout
        deadline = time.monotonic() + within
        while (code := self.poll()) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(self._command, within)
            time.sleep(_POLL_SECONDS)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal, unless the child has ended: another process may use its ID now."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)


class Forks:
    """A process that imports `modules` and is forked for each program, until `close()`.

    If forking is not possible (on another system, or after the end of the process), `fork` returns
    None.
    """

    def __init__(self, modules: Sequence[str], env: Mapping[str, str]) -> None:
        """Start the process, which imports the modules in the background."""
        self._is_ready = False
        self._control: socket.socket | None = None
        self._server: subprocess.Popen[bytes] | None = None
        if sys.platform != "linux":
            return
        children.adopt_orphans(True)
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._server = subprocess.Popen(
                [sys.executable, "-u", "-m", "devstack.embedded.forkserver", *modules],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env=dict(env),
                start_new_session=True,
                preexec_fn=children.dies_with_parent(signal.SIGKILL),  # noqa: PLW1509 - see there
            )

    async def ready(self) -> str | None:
        """Wait until the modules are imported.

        Return the reason if forks are impossible, else None.
        """
        return await asyncio.to_thread(self._wait)

    def _wait(self) -> str | None:
        if self._control is None or self._server is None:
            return f"not on {sys.platform}"
        try:
            self._control.settimeout(IMPORT_SECONDS)
            self._is_ready = self._control.recv(64) == READY
            if self._is_ready:
                return None
            code = self._server.wait(IMPORT_SECONDS)  # it has hung up
        except (OSError, subprocess.TimeoutExpired):
            self.close()
            return f"the imports took more than {IMPORT_SECONDS:.0f} s"
        said = self.close()
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        return said.splitlines()[-1] if said else how

    def fork(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        death_signal: signal.Signals = signal.SIGTERM,
        stdin: bytes = b"",
    ) -> Adopted | None:
        """Run `python -m …` as `children.spawn` does; the program writes its output to a pipe.

        Return None if the program cannot be forked.

        `stdin` is the text that the program can read from its standard input, a few lines at most.
        """
        if self._control is None or not self._is_ready:
            return None
        order = json.dumps([list(command), dict(env), int(death_signal)]).encode()
        ours, output = os.pipe()
        given = _pipe_with(stdin) if stdin else os.open(os.devnull, os.O_RDONLY)
        try:
            self._control.settimeout(FORK_SECONDS)
            socket.send_fds(self._control, [order], [given, output])
            pid = int(self._control.recv(64) or 0)
        except OSError:
            pid = 0
        finally:
            os.close(given)
            os.close(output)
        if pid:
            return Adopted(pid, command, os.fdopen(ours, "rb"))
        os.close(ours)
        self.close()
        return None

    def close(self) -> str:
        """End the fork server, but not the programs it forked; return the server's error output."""
        if self._control is None or self._server is None:
            return ""
        self._is_ready = False
        self._server.kill()
        _, said = self._server.communicate()
        self._control.close()
        self._control = None
        children.adopt_orphans(False)
        return said.decode(errors="replace").strip()


def _pipe_with(text: bytes) -> int:
    """Return the read end of a pipe that contains the text and is closed for writing."""
    reader, writer = os.pipe()
    os.write(writer, text)
    os.close(writer)
    return reader
