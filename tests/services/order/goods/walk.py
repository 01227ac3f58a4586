"""Record the calls between files, and the forms of an order line, while a block runs."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Final
from uuid import UUID

import msgspec

ROOT: Final = Path(__file__).resolve().parents[4]
# Loops that run beside the requests are no part of an order.
_BESIDE: Final = frozenset({"lib/events/background.py"})
_DEPTH: Final = 6


class Walk:
    """The calls from one file of `lib` or `services` to another, and the forms of a product's line.

    A call through a library, such as a context manager, is a call of the file that used the
    library. A coroutine that continues after a wait is not another call.

    A form is the type of a value that directly contains the ID of the product. A list is a column
    of a statement. A mapping whose keys are IDs is an index, and not a form.
    """

    def __init__(self, product_id: str) -> None:
        self.moves: Counter[tuple[str, str]] = Counter()
        self.forms: set[str] = set()
        self._ids = (product_id, UUID(product_id))
        self._seen: dict[int, FrameType] = {}
        self._files: dict[CodeType, str] = {}

    def note(self, frame: FrameType, event: str, argument: Any) -> None:
        """Note an event of `sys.setprofile`."""
        if event not in ("call", "return") or not (file := self._file(frame)):
            return
        if event == "call":
            if id(frame) not in self._seen:
                self._seen[id(frame)] = frame  # kept: another frame must not get the same ID
                self._note_call(frame, file)
        elif file.startswith("services/"):
            self._look(argument)
            for value in frame.f_locals.values():
                self._look(value)

    def _note_call(self, frame: FrameType, file: str) -> None:
        callers = [found for found in map(self._file, _outer(frame)) if found]
        if callers and callers[0] != file and _BESIDE.isdisjoint(callers):
            self.moves[callers[0], file] += 1

    def _file(self, frame: FrameType) -> str:
        """Return the path below the repository of a file of `lib` or `services`, or ''."""
        code = frame.f_code
        if code not in self._files:
            path = Path(code.co_filename)
            known = path.is_relative_to(ROOT)
            name = path.relative_to(ROOT).as_posix() if known else ""
            self._files[code] = name if name.startswith(("lib/", "services/")) else ""
        return self._files[code]

    def _look(self, value: Any, depth: int = _DEPTH) -> None:
        inside = _inside(value) if depth else ()
        for each in inside:
            if isinstance(each, str | UUID):
                if each in self._ids:
                    self.forms.add(_name(value))
            else:
                self._look(each, depth - 1)


def _outer(frame: FrameType) -> Iterator[FrameType]:
    back = frame.f_back
    while back is not None:
        yield back
        back = back.f_back


def _inside(value: Any) -> Iterator[Any]:
    if isinstance(value, msgspec.Struct):
        return (getattr(value, name) for name in value.__struct_fields__)
    if is_dataclass(value) and not isinstance(value, type):
        return (getattr(value, field.name) for field in fields(value))
    if isinstance(value, Mapping):
        return iter(value.values())
    if isinstance(value, list | tuple):
        return iter(value)
    return iter(())


def _name(value: Any) -> str:
    kind = type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"


@contextmanager
def walking(product_id: str) -> Iterator[Walk]:
    """Record what runs in this thread while the block runs."""
    walk, before = Walk(product_id), sys.getprofile()
    sys.setprofile(walk.note)
    try:
        yield walk
    finally:
        sys.setprofile(before)
