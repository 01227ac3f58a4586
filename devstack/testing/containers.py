"""With `TEST_BACKEND=containers`, run servers in containers instead of embedded servers.

The images are those of docker-compose.yml, unless its variables name others.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import pytest

from devstack.embedded.ports import free_port

COMPOSE = Path(__file__).resolve().parents[2] / "docker-compose.yml"
START_SECONDS = 120.0


def wanted() -> bool:
    """Return whether tests run on containers. Raises ValueError for an unknown backend."""
    backend = os.environ.get("TEST_BACKEND") or "embedded"
    if backend not in ("embedded", "containers"):
        raise ValueError(f"TEST_BACKEND must be embedded or containers, not {backend!r}")
    return backend == "containers"


def image(variable: str) -> str:
    """Return the image that docker-compose.yml has under a variable, such as `POSTGRES_IMAGE`."""
    found = re.search(rf"\$\{{{variable}:-([^}}]+)\}}", COMPOSE.read_text())
    if found is None:
        raise ValueError(f"docker-compose.yml knows no {variable}")
    return os.environ.get(variable) or found[1]


def engine() -> None:
    """Skip the test if there is no Docker engine; with `CI=true`, fail."""
    docker = shutil.which("docker")
    said = subprocess.run([docker, "info"], capture_output=True, check=False) if docker else None
    if said is None or said.returncode:
        reason = "TEST_BACKEND=containers needs a Docker engine that runs: start it, or unset it"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)


@contextmanager
def running(
    variable: str, port: int, *, environ: dict[str, str], command: list[str]
) -> Iterator[int]:
    """Run a container of the image; yield the port of 127.0.0.1 that leads to its `port`."""
    engine()
    # Imported here: only who asks for containers needs the library to be whole.
    from testcontainers.core.config import testcontainers_config
    from testcontainers.core.container import DockerContainer

    testcontainers_config.ryuk_disabled = True
    ours = free_port()
    container = DockerContainer(image(variable)).with_envs(**environ).with_command(command)
    # Docker's own way to say that no other machine may come in; the library knows numbers only.
    cast("dict[str, object]", container.ports)[f"{port}/tcp"] = ("127.0.0.1", ours)
    with container:
        yield ours


def until(accepts: Callable[[], bool], what: str) -> None:
    """Return when the server accepts a connection. Raises RuntimeError if the server never does."""
    deadline = time.monotonic() + START_SECONDS
    while not accepts():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what} in a container did not start")
        time.sleep(0.1)


def new_password() -> str:
    """Return a password that needs no quoting in any file."""
    return secrets.token_hex(16)
