"""A private server of any supported major version, from a wheel or from the system."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest.mock import patch

import pytest
from aiosqlc.servers.postgres import embedded
from aiosqlc.servers.postgres.embedded import Server, embedded_server
from aiosqlc.servers.private import NoServerError

# Debian's packages, and what the script `.ci/older-postgres` installs.
_HOMES = (Path("/usr/lib/postgresql"), Path("/usr/local/lib/postgresql"))


@contextmanager
def server_of(major: int) -> Iterator[Server]:
    """Run a server of a major version, or skip the test if it is not installed."""
    programs = _programs(major)
    with ExitStack() as stack:
        with patch.object(embedded, "binaries", lambda _: programs):
            server = stack.enter_context(embedded_server(major=major))
        yield server


def _programs(major: int) -> Path:
    for home in _HOMES:
        if (home / str(major) / "bin" / "postgres").exists():
            return home / str(major) / "bin"
    try:
        return embedded.binaries(major)
    except NoServerError:
        pytest.skip(f"PostgreSQL {major} is not installed: run .ci/older-postgres {major}")
