"""The output of the stack: progress, addresses, and the lines of each program with its name."""

from __future__ import annotations

import asyncio
import io
import os
import sys
import time
from collections.abc import Callable, Iterable

_COLORS = (36, 32, 33, 35, 34, 96, 92, 93, 95)


class Console:
    """Print whole lines; use colours only on a terminal."""

    def __init__(self, names: Iterable[str]) -> None:
        ordered = list(names)
        self._width = max((len(name) for name in ordered), default=0)
        self._color = {name: _COLORS[index % len(_COLORS)] for index, name in enumerate(ordered)}
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="replace")  # what a program says fits no terminal, maybe
        self._colored = (
            sys.stdout.isatty()
            and os.environ.get("TERM") not in (None, "", "dumb")
            and not os.environ.get("NO_COLOR")
        )
        self._since = time.monotonic()
        self._waiting: list[str] = []

    def say(self, text: str) -> None:
        """Print a message of the stack itself, with the seconds since the start."""
        self._print_waiting()
        self._print(f"{time.monotonic() - self._since:6.1f}s  {text}")

    def relay(self, name: str, lines: str) -> None:
        """Print one or more lines that a program has written."""
        label = f"{name:<{self._width}} |"
        if self._colored:
            label = f"\x1b[{self._color.get(name, 37)}m{label}\x1b[0m"
        self._waiting.append(f"{label} " + lines.replace("\n", f"\n{label} "))
        if len(self._waiting) == 1:
            self._soon(self._print_waiting)

    def _print_waiting(self) -> None:
        text, self._waiting = "\n".join(self._waiting), []
        if text:
            self._print(text)

    @staticmethod
    def _soon(call: Callable[[], None]) -> None:
        """Call `call` after the event loop's current iteration, to write several lines together."""
        try:
            asyncio.get_running_loop().call_soon(call)
        except RuntimeError:  # the event loop is closed
            call()

    def table(self, rows: Iterable[tuple[str, str]]) -> None:
        """Print a table of names and URLs, one row per line."""
        listed = list(rows)
        width = max(len(what) for what, _ in listed)
        self._print("\n" + "\n".join(f"  {what:<{width}}  {url}" for what, url in listed) + "\n")

    @staticmethod
    def _print(text: str) -> None:
        try:
            print(text, flush=True)
        except OSError:
            # The pipe or the terminal was closed (`make run | head`), or the disk is full. The
            # stack continues until it is stopped.
            sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 - stays open to the end
