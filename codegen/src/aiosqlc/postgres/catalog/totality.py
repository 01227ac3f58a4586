"""Strict built-in functions that never return NULL for non-null arguments, by server version."""

from __future__ import annotations

import functools
import importlib.resources

_BETWEEN = 17


@functools.cache
def total_functions(major: int) -> dict[int, str]:
    """Return the strict built-in functions of a server version that never return NULL, by OID.

    The functions were found by calling them with sample arguments. For version 17, the result is
    the functions that were found for both version 16 and version 18. For a version on which no
    functions were called, the result is empty.
    """
    if major == _BETWEEN:
        return dict(total_functions(16).items() & total_functions(18).items())
    file = importlib.resources.files("aiosqlc.postgres.totality").joinpath("functions.txt")
    facts: dict[int, str] = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        first, second, *majors = line.split()
        if first == "PostgreSQL" and str(major) not in (second, *majors):
            return {}
        if first.isdigit() and (not majors or str(major) in majors):
            facts[int(first)] = second.partition("(")[0]
    return facts
