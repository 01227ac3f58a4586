"""Read a list by its cursors, as a client does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

Caller = Callable[[str, str], Awaitable[tuple[int, Any, Any]]]
Bodies = list[dict[str, Any]]
_META: Final = {"page_size", "next_cursor", "previous_cursor", "degraded"}


async def walk(
    caller: Caller,
    path: str,
    *,
    to: str = "next_cursor",
    cursor: str = "",
    between: Callable[[], Awaitable[object]] | None = None,
) -> Bodies:
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


def by(column: str) -> Callable[[Bodies], list[str]]:
    """Return a function that returns a column of the rows of all pages."""
    return lambda bodies: [row[column] for body in bodies for row in body["data"]]


ids: Final = by("id")


def at_most(times: int, add: Callable[[], Awaitable[object]]) -> Callable[[], Awaitable[None]]:
    """Return a function that calls `add` only in its first calls."""
    left = iter(range(times))

    async def added() -> None:
        if next(left, None) is not None:
            await add()

    return added


async def check_each_once(
    caller: Caller,
    path: str,
    *,
    size: int = 2,
    between: Callable[[], Awaitable[object]] | None = None,
    of: Callable[[Bodies], list[str]] = ids,
) -> list[str]:
    """Return the IDs of a list, after the cursors have led to each once, in both directions.

    On the way forward a page has `size` rows, and on the way back one more. `between` adds rows
    between two pages. `of` returns the IDs of the rows of some pages.
    """
    path += "&" if "?" in path else "?"
    expected = of([(await caller("GET", f"{path}page_size=100"))[1]])
    bodies = await walk(caller, f"{path}page_size={size}", between=between)
    found = of(bodies)
    assert len(found) == len(set(found))
    assert [one for one in found if one in expected] == expected
    assert all(body["meta"].keys() <= _META for body in bodies)
    assert "previous_cursor" not in bodies[0]["meta"]
    assert all("previous_cursor" in body["meta"] for body in bodies[1:])
    last = bodies[-1]["meta"]["previous_cursor"]
    back = await walk(caller, f"{path}page_size={size + 1}", to="previous_cursor", cursor=last)
    before = of(back[::-1])
    assert len(before) == len(set(before))
    rest = [one for one in of(bodies[:-1]) if one in expected]
    assert [one for one in before if one in expected] == rest
    return expected


async def first_cursor(caller: Caller, path: str) -> str:
    """Return the cursor of the second page of a list, with one row on a page."""
    status, body, _ = await caller("GET", f"{path}{'&' if '?' in path else '?'}page_size=1&cursor=")
    assert status == 200, body
    cursor: str = body["meta"]["next_cursor"]
    return cursor


def spoilt(path: str, cursor: str) -> list[str]:
    """Return requests for a list that each have a cursor that is not valid, made from a valid one.

    The last two have a page as well.
    """
    path += "&" if "?" in path else "?"
    return [
        f"{path}cursor={cursor[1:]}",
        f"{path}cursor={cursor[:-1]}",
        f"{path}cursor={cursor}A",
        f"{path}cursor=x",
        f"{path}cursor=null",
        f"{path}cursor=%C3%A9",
        f"{path}cursor={'A' * 5001}",
        f"{path}cursor={cursor}&cursor={cursor}",
        f"{path}cursor={cursor}&page=1",
        f"{path}cursor=&page=2",
    ]


async def check_refused(caller: Caller, path: str) -> None:
    """Assert that a request is refused with the stable code, because of its cursor."""
    status, body, _ = await caller("GET", path)
    assert status == 400, body
    assert body["error"]["code"] == "VALIDATION_ERROR"
    assert [one["field"] for one in body["error"]["details"]] == ["cursor"]
