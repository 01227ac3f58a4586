"""The first line of the lock file, which shows whether the project changed since the last run."""

from __future__ import annotations

import hashlib
import os
from functools import cache
from pathlib import Path

import msgspec
from msgspec import Struct

from aiosqlc.config.project import Project
from aiosqlc.servers.wheels import NoWheelError, chosen

FORMAT = 5


class Head(Struct):
    """The lock's first line: digests of inputs and outputs of a run that had no diagnostics."""

    format: int
    inputs: str = ""
    outputs: dict[str, str] = {}


def lock_path(project: Project) -> Path:
    """Return the path of a configuration's lock: `sqlc.yaml` → `sqlc.lock.json`."""
    return project.root / f"{project.file.path.stem}.lock.json"


def read_head(project: Project) -> Head | None:
    """Read only the first line of the lock file, because the file may be long."""
    head = _head(project)
    return head if head and head.format == FORMAT else None


def other_format(project: Project) -> str:
    """Return a message if another release wrote the lock in another format, or else ""."""
    head = _head(project)
    if head is None or head.format == FORMAT:
        return ""
    name = lock_path(project).name
    return (
        f"{name} has format {head.format}, but this release writes format {FORMAT}:"
        " all queries are compiled again"
    )


def _head(project: Project) -> Head | None:
    try:
        with lock_path(project).open(encoding="utf-8") as stream:
            first = stream.readline()
        return msgspec.json.decode(first.rstrip().removesuffix(",") + "}", type=Head)
    except (OSError, UnicodeDecodeError, msgspec.DecodeError):
        return None


@cache
def compiler_digest() -> str:
    """Return a hash of the compiler's code, because another version may infer other results."""
    found = hashlib.sha256()
    package = Path(__file__).parents[1]
    paths = [os.path.join(folder, name) for folder, _, names in os.walk(package) for name in names]  # noqa: PTH118  # faster than path objects
    for path in sorted(paths):
        if path.endswith((".py", ".sql", ".json", ".txt")):
            found.update(path.removeprefix(str(package)).encode())
            found.update(Path(path).read_bytes())
    return found.hexdigest()


def as_locked(key: str, locked: str) -> str:
    """Return the key `locked` if no server is installed and only the server differs, or `key`.

    So a lock is usable without an installed server, but not with another release of the server.
    """
    mine, _, server = key.partition(" ")
    return key if server else locked if locked.partition(" ")[0] == mine else key


@cache
def embedded_server() -> str:
    """Return the default server's name with its release, or "" if no server is installed.

    The release is included because another release may return other results.
    """
    try:
        wheel = chosen()
    except NoWheelError:
        return ""  # reported when a server is needed, which may be never
    return wheel.release if wheel else ""
