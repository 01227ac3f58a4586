"""Read a list by its cursors, as a client does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

Caller = Callable[[str, str], Awaitable[tuple[int, Any, Any]]]


async def walk(
    caller: Caller,
    path: str,
    *,
    to: str = "next_cursor",
    cursor: str = "",
    between: Callable[[], Awaitable[object]] | None = None,
) -> list[dict[str, Any]]:
    """Return the bodies of all pages from a cursor on; `between` runs between two pages."""
    bodies = []
    sign = "&" if "?" in path else "?"
    while True:
        status, body, _ = await caller("GET", f"{path}{sign}cursor={cursor}")
        assert status == 200, body
        bodies.append(body)
        if to not in body["meta"]:
            return bodies
        cursor = body["meta"][to]
        if between is not None:
            await between()


def ids(bodies: list[dict[str, Any]]) -> list[str]:
    """Return the IDs of the rows of all pages."""
    return [row["id"] for body in bodies for row in body["data"]]
