"""Which strict built-in functions are total, never NULL for values, per server version."""

from __future__ import annotations

import functools
import importlib.resources

_NEWEST = 18
_OLDEST = 16


@functools.cache
def total_functions(major: int) -> dict[int, str]:
    """Return the oids (with the names, to be compared) of the total strict built-ins of a server.

    The facts of the nearest older version known are used for a server we have none for: what a
    later server adds is simply not claimed.
    """
    version = min(max(major, _OLDEST), _NEWEST)
    text = (
        importlib.resources.files("aiosqlc.postgres.totality")
        .joinpath(f"postgres{version}.txt")
        .read_text(encoding="utf-8")
    )
    facts: dict[int, str] = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            oid, _, signature = line.partition(" ")
            facts[int(oid)] = signature.partition("(")[0]
    return facts
