"""A progress line on a terminal, removed when the work is done."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TextIO, TypeVar

T = TypeVar("T")

AFTER = 0.5  # seconds; faster work has no progress line
EVERY = 0.1
_ERASE = "\r\033[K"


class Line:
    """A line on a terminal, rewritten at most every `EVERY` seconds."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._next = clock() + AFTER
        self._shown = False

    def show(self, text: str) -> None:
        """Write the progress line, unless it was written less than `EVERY` seconds ago."""
        now = self._clock()
        if now < self._next:
            return
        self._next = now + EVERY
        self._shown = True
        self._stream.write(f"{_ERASE}{text}")
        self._stream.flush()

    def erase(self) -> None:
        """Remove the progress line."""
        if self._shown:
            self._stream.write(_ERASE)
            self._stream.flush()
        self._shown = False


_line: Line | None = None


def show_on(stream: TextIO | None) -> None:
    """Show progress on this stream if it is a terminal. For None, show no progress."""
    global _line  # noqa: PLW0603  # there is one terminal
    _line = Line(stream) if stream is not None and stream.isatty() else None


if hasattr(os, "register_at_fork"):  # a child process must not write to its parent's terminal
    os.register_at_fork(after_in_child=lambda: show_on(None))


def counted(what: str, items: Sequence[T], before: int = 0, total: int = 0) -> Iterator[T]:
    """Yield the items, and show the number of finished items: `compiling 812/2000`.

    The items may be part of a longer list: `before` items come before them, and `total` is the
    length of the whole list.
    """
    line = _line
    if line is None:
        yield from items
        return
    try:
        for number, item in enumerate(items):
            line.show(f"{what} {before + number}/{total or len(items)}")
            yield item
    finally:
        line.erase()
