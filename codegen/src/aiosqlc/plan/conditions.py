"""Write short Python conditions for the optional parts of a dynamic query."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

Key = tuple[bool, ...]
Cube = tuple[bool | None, ...]
"""A pattern for which optional parts of a query are on; None matches on and off."""


def condition(keys: AbstractSet[Key], names: Sequence[str]) -> str:
    """Return a Python condition for the given combinations of parts, or '' if it is always true."""
    if len(keys) == 2 ** len(names):
        return ""
    common = _common(keys, len(names))
    rest = [position for position, value in enumerate(common) if value is None]
    inner = {tuple(key[position] for position in rest) for key in keys}
    words = [_literal(names[at], value) for at, value in enumerate(common) if value is not None]
    if len(inner) == 2 ** len(rest):
        return " and ".join(words)
    any_of = _alternatives(inner, [names[position] for position in rest])
    if not words:
        return any_of
    return " and ".join([*words, f"({any_of})"])


def _literal(name: str, value: bool) -> str:
    return name if value else f"not {name}"


def _common(keys: AbstractSet[Key], length: int) -> Cube:
    """Return a pattern of the values that all the combinations have in common."""
    found: list[bool | None] = []
    for position in range(length):
        values = {key[position] for key in keys}
        found.append(values.pop() if len(values) == 1 else None)
    return tuple(found)


def _alternatives(keys: AbstractSet[Key], names: Sequence[str]) -> str:
    """Return a Python condition: the largest patterns for the combinations, joined by `or`."""
    left = set(keys)
    chosen: list[Cube] = []
    for cube in _cubes(keys, len(names)):
        covered = _members(cube)
        if covered & left:
            chosen.append(cube)
            left -= covered
        if not left:
            break
    chosen.sort(key=lambda cube: [value is None for value in cube])
    return " or ".join(
        " and ".join(
            _literal(name, value)
            for name, value in zip(names, cube, strict=True)
            if value is not None
        )
        for cube in chosen
    )


def _cubes(keys: AbstractSet[Key], length: int) -> list[Cube]:
    """Return the patterns that match only the given combinations of parts, largest first."""
    found: dict[Cube, None] = {}
    for free in range(length - 1, -1, -1):
        for places in itertools.combinations(range(length), free):
            for key in sorted(keys, reverse=True):
                cube = tuple(None if at in places else value for at, value in enumerate(key))
                if cube not in found and _members(cube) <= keys:
                    found[cube] = None
    return list(found)


def _members(cube: Cube) -> set[Key]:
    return set(itertools.product(*((True, False) if value is None else (value,) for value in cube)))
