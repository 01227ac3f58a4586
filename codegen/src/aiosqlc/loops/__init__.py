"""Find the queries that a program calls in a loop. `aiosqlc.loops.plugin` finds them in tests.

In production, call `install` once, and run each request or job inside `watched()`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from aiosqlc.loops.calls import Loop, Scope, entered, left
from aiosqlc.loops.wrapping import wrap_generated

__all__ = ["Loop", "install", "watched"]

_installed: list[tuple[Callable[[Loop], None], int]] = []


def install(report: Callable[[Loop], None], *, limit: int = 20) -> None:
    """Count the calls of all generated functions, even of functions that are imported later.

    At the end of a `watched()` block, `report` is called once for each call site from which a query
    was called more than `limit` times. Call `install` before the program starts tasks.
    """
    _installed[:] = [(report, limit)]
    wrap_generated()


@contextmanager
def watched() -> Iterator[None]:
    """Count the calls in the block, such as one request, and in the tasks that the block starts."""
    scope = Scope()
    token = entered(scope)
    try:
        yield
    finally:
        left(token)
        for report, limit in _installed:
            for loop in scope.loops(limit):
                report(loop)
