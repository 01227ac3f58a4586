"""Give the generated classes of declared structures distinct names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count

from msgspec.structs import replace

from aiosqlc.ir import ColumnRef, JsonShape, Member, Shared

_Named = tuple[str, Sequence[Member]]


def distinct_names(
    declared: Mapping[ColumnRef, JsonShape], class_of: Callable[[str], str]
) -> dict[ColumnRef, JsonShape]:
    """Return the declared structures with different names for different objects.

    Equal objects with the same name share a class. If different objects have the same name, the
    name of the later object gets a number. Objects that are whole columns come before objects that
    are members. `class_of` returns the class name for a snake-case name.
    """
    seen: set[_Named] = set()
    inner = [item for shape in declared.values() for item in _generated(shape, seen)]
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

    made: dict[_Named, Shared] = {}

    def renamed(shape: JsonShape) -> JsonShape:
        if "." in shape.name:  # a user's class
            return shape
        if not _is_generated(shape):
            return replace(shape, members=members_of(shape))
        named = _named(shape, class_of)
        if named not in made:
            made[named] = Shared(members_of(shape))
        return replace(shape, members=made[named], name=names[named])

    def members_of(shape: JsonShape) -> tuple[Member, ...]:
        return tuple([(key, renamed(member)) for key, member in shape.members])

    return {column: renamed(shape) for column, shape in declared.items()}


def _named(shape: JsonShape, class_of: Callable[[str], str]) -> _Named:
    """Return the class name and the members of an object."""
    return class_of(shape.name), shape.members


def _generated(shape: JsonShape, seen: set[_Named]) -> Iterator[JsonShape]:
    """Yield the objects that get a generated class, each only once, and outer objects first.

    `seen` are the objects that were already found in other structures.
    """
    if "." in shape.name or (shape.name, shape.members) in seen:
        return
    if _is_generated(shape):
        seen.add((shape.name, shape.members))
        yield shape
    for _, member in shape.members:
        yield from _generated(member, seen)


def _is_generated(shape: JsonShape) -> bool:
    return bool(shape.name) and "." not in shape.name
