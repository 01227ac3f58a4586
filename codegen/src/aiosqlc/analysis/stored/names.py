"""Give the generated classes of declared structures distinct names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import count

from aiosqlc.ir import ColumnRef, JsonShape

_Named = tuple[str, JsonShape]


def distinct_names(
    declared: Mapping[ColumnRef, JsonShape], class_of: Callable[[str], str]
) -> dict[ColumnRef, JsonShape]:
    """Return the declared structures with a name of its own for each different object.

    Equal objects with one name share a class. Otherwise the later object's name gets a number. An
    object that is a whole column is earlier than a member of another column. `class_of` returns the
    class name for a snake-case name.
    """
    inner = [item for shape in declared.values() for item in _generated(shape)]
    whole = [shape for shape in declared.values() if _is_generated(shape)]
    taken = {class_of(shape.name) for shape in inner}
    names: dict[_Named, str] = {}
    first: set[str] = set()
    for shape in (*whole, *inner):
        named = _named(shape, class_of)
        if named in names:
            continue
        name, called = shape.name, named[0]
        if called in first:
            numbers = (f"{shape.name}_{number}" for number in count(2))
            name = next(item for item in numbers if class_of(item) not in taken)
            called = class_of(name)
        names[named] = name
        first.add(called)
        taken.add(called)

    def renamed(shape: JsonShape) -> JsonShape:
        if "." in shape.name:  # a user's class
            return shape
        members = tuple([(key, renamed(member)) for key, member in shape.members])
        name = names[_named(shape, class_of)] if _is_generated(shape) else shape.name
        return replace(shape, members=members, name=name)

    return {column: renamed(shape) for column, shape in declared.items()}


def _named(shape: JsonShape, class_of: Callable[[str], str]) -> _Named:
    """Return a class name with its structure, without what belongs to the place of the value."""
    return class_of(shape.name), replace(shape, name="", nullable=False, absent=False)


def _generated(shape: JsonShape) -> Iterator[JsonShape]:
    """Yield each structure that has a generated class, from the outermost one inwards."""
    if _is_generated(shape):
        yield shape
    for _, member in shape.members:
        yield from _generated(member)


def _is_generated(shape: JsonShape) -> bool:
    return bool(shape.name) and "." not in shape.name
