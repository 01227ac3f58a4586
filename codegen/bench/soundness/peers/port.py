"""The interface of each tool's module."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.soundness.model import Suite, Verdicts
from bench.soundness.values import Driver, ServerType


@dataclass(frozen=True, slots=True)
class Place:
    """The environment of a tool: the folder of installed tools, an empty folder, and a database.

    The database at `url`, on the loopback interface, has the suite's schema. `params` are the types
    that the server gives to the parameters of each query.
    """

    tools: Path
    folder: Path
    url: str
    params: Mapping[str, Sequence[ServerType]]
    names: Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Peer:
    """A tool. `absent` returns why it cannot run with this folder of tools, or an empty text."""

    name: str
    version: Callable[[Path], str]
    absent: Callable[[Path], str]
    ask: Callable[[Suite, Place], Verdicts]
    driver: Driver


def ran(
    command: Sequence[str | Path],
    folder: Path,
    limit: float = 300,
    env: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command for at most `limit` seconds, and return its result with any exit code."""
    return subprocess.run(
        [str(part) for part in command], cwd=folder, capture_output=True, text=True, check=False,
        timeout=limit, env=env,
    )  # fmt: skip
