"""The structure of the compiler: where it may check its engine."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import aiosqlc

ROOT = Path(aiosqlc.__file__).parent
# What an engine or a driver is may be said in its own room.
ROOMS = {"postgres", "mysql", "engines", "drivers", "servers"}


def asked(path: Path) -> int:
    """Return how often a file compares a value with the name of an engine."""
    compared = (n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Compare))
    return sum(
        any(
            isinstance(side, ast.Attribute)
            and isinstance(side.value, ast.Name)
            and side.value.id == "Dialect"
            for side in (comparison.left, *comparison.comparators)
        )
        for comparison in compared
    )


def test_which_engine_it_is_is_asked_in_the_engines_own_rooms() -> None:
    found = Counter[str]()
    for path in ROOT.rglob("*.py"):
        name = path.relative_to(ROOT)
        if name.parts[0] not in ROOMS:
            found[name.as_posix()] += asked(path)
    assert not +found
