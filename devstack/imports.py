"""Import the modules that all services share once, while the databases start.

When a service starts for the first time, it is forked from this process. A service that restarts is
spawned instead, with its present code. In production, no service is forked.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from devstack.embedded.children import Child
from devstack.embedded.forks import Forks
from devstack.program import Program
from devstack.supervisor import spawn

# The HTTP and gRPC layers with their dependencies, but no modules of a service: the processes of
# other services must not contain these.
SHARED = (
    "lib.auth.remote",
    "lib.cache",
    "lib.db.postgres",
    "lib.events.background",
    "lib.grpc.client",
    "lib.grpc.server",
    "lib.http.client",
    "lib.http.middleware.install",
    "lib.http.server",
    "lib.mail.settings",
    "lib.otlp",
    "lib.process",
    "lib.storage.settings",
)


@contextmanager
def shared(environ: Mapping[str, str]) -> Iterator[Forks]:
    """Start a fork server, which imports the modules in the background, for the `with` block."""
    forks = Forks(SHARED, environ)
    try:
        yield forks
    finally:
        forks.close()


async def ready(forks: Forks, say: Callable[[str], None]) -> Callable[[Program], Child]:
    """Return a function that forks a program, or spawns it if forks are impossible.

    If forks are impossible, this is reported with `say`.
    """
    if why := await forks.ready():
        say(f"services do not share imported modules ({why}): each process imports them itself")
        return spawn

    def fork(program: Program) -> Child:
        if program.command[:2] != [sys.executable, "-m"]:
            return spawn(program)
        found = forks.fork(
            program.command, env=program.env or os.environ, death_signal=program.stop_signal
        )
        if found is None:
            say(f"{program.name} cannot be forked, so its process imports all modules itself")
        return found or spawn(program)

    return fork
