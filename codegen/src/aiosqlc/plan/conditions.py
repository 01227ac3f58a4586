"""Write short Python conditions for the optional parts of a dynamic query."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

Key = tuple[bool, ...]
Cube = tuple[bool | None, ...]
"""A pattern for options that are on or off: per option True, False, or None for either."""


def double_quoted(text: str) -> str:
    """Return a one-line text as a Python literal in double quotes."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def option_condition(
    keys: AbstractSet[tuple[bool | str, ...]],
    every: AbstractSet[tuple[bool | str, ...]],
    names: Sequence[str],
) -> str:
    """Return a Python condition that is true for the option values `keys`, or '' if always true.

    An option is a switch or, as a string, one of several values. `every` has all possible
    combinations.
    """
    at = next((at for at, value in enumerate(next(iter(every))) if isinstance(value, str)), None)
    if at is None:
        return condition({tuple(map(bool, key)) for key in keys}, names)
    values = sorted({str(key[at]) for key in every})
    rest = {(*key[:at], *key[at + 1 :]) for key in every}
    others = [*names[:at], *names[at + 1 :]]
    by_condition: dict[str, list[str]] = {}
    for value in values:
        chosen = {(*key[:at], *key[at + 1 :]) for key in keys if key[at] == value}
        if chosen:
            by_condition.setdefault(option_condition(chosen, rest, others), []).append(value)
    found = [
        _both(one_of(names[at], chosen) if len(chosen) < len(values) else "", beside)
        for beside, chosen in by_condition.items()
    ]
    return found[0] if len(found) == 1 else " or ".join(f"({each})" for each in found)


def one_of(name: str, values: Sequence[str]) -> str:
    """Return the Python condition that a variable has one of the values."""
    if len(values) == 1:
        return f"{name} == {double_quoted(values[0])}"
    return f"{name} in ({', '.join(map(double_quoted, values))})"


def _both(one: str, other: str) -> str:
    if one and " or " in other:
        return f"{one} and ({other})"
    return f"{one} and {other}" if one and other else one or other


def condition(keys: AbstractSet[Key], names: Sequence[str]) -> str:
    """Return a Python condition that is true for the on/off values `keys`, or '' if always true."""
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
    """Return, for each option, the value that all combinations in `keys` have, or None."""
    found: list[bool | None] = []
    for position in range(length):
        values = {key[position] for key in keys}
        found.append(values.pop() if len(values) == 1 else None)
    return tuple(found)


def _alternatives(keys: AbstractSet[Key], names: Sequence[str]) -> str:
    """Return a Python condition that `keys` match, with few alternatives joined by `or`."""
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
    """Return each pattern (`Cube`) that matches only combinations in `keys`, most general first."""
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
