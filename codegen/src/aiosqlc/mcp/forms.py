"""The form of a tool's result: one row, rows, a page, or the rows of many keys."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import Any

import msgspec

from aiosqlc.ir import Command
from aiosqlc.mcp.offers import Offer
from aiosqlc.mcp.outcome import Result


class Form(Enum):
    """The form of a result, which decides the fields of `structuredContent`."""

    ROW = auto()
    ROWS = auto()
    PAGE = auto()  # the rows of a page, and the total
    KEYSET = auto()  # the rows of a page, and the cursors of the pages beside it
    ENTRIES = auto()  # keys, each with its row
    LISTS = auto()  # keys, each with its rows
    AFFECTED = auto()
    DONE = auto()


class TooLargeError(Exception):
    """Raised if a result cannot be shortened to the maximum size."""


def form_of(offer: Offer) -> Form:
    """Return the form of a tool's results."""
    parsed = offer.query.parsed
    if offer.single is not None:
        return Form.ENTRIES if offer.single.parsed.command is Command.ONE else Form.LISTS
    if parsed.paging is not None:
        return Form.KEYSET if parsed.paging.keys else Form.PAGE
    return _FORMS.get(parsed.command, Form.ROW)


_FORMS = {
    Command.MANY: Form.ROWS,
    Command.STREAM: Form.ROWS,
    Command.EXEC: Form.DONE,
    Command.EXECROWS: Form.AFFECTED,
}


def result_of(
    form: Form,
    value: Any,
    shown: Callable[[Any], Any],
    most: tuple[int, int],
    handle: Callable[[Any], str | None],
) -> Result:
    """Convert the return value of a generated function to the result of its tool.

    `shown` converts one row to JSON. `most` are the maximum numbers of rows and of bytes. `handle`
    returns the token for a cursor. Raises `TooLargeError`.
    """
    if form is Form.DONE:
        return Result({"done": True})
    if form is Form.AFFECTED:
        return Result({"affected": value})
    if form in {Form.ENTRIES, Form.LISTS}:
        return _entries(form, value, shown, most)
    if form is Form.ROW:
        row = None if value is None else shown(value)
        content, count = {"row": row}, int(row is not None)
    else:
        rows, total = value if form is Form.PAGE else (value.rows, None)
        shown_rows = [shown(row) for row in rows[: most[0]]]
        content, count = {"rows": shown_rows}, len(shown_rows)
        if form is Form.PAGE:
            content |= {"total": total, "truncated": len(rows) > most[0]}
    if len(msgspec.json.encode(content)) > most[1]:
        raise TooLargeError
    if form is Form.KEYSET:
        content |= {"next": handle(value.next), "previous": handle(value.previous)}
    return Result(content, count)


def _entries(
    form: Form, value: dict[Any, Any], shown: Callable[[Any], Any], most: tuple[int, int]
) -> Result:
    """Convert rows by key to a result. If a limit is reached, leave out the remaining keys."""
    entries: list[dict[str, Any]] = []
    count = size = 0
    for key, held in value.items():
        rows = [shown(row) for row in (held if form is Form.LISTS else [held])]
        found = {"rows": rows} if form is Form.LISTS else {"row": rows[0]}
        entry = {"key": msgspec.to_builtins(key, enc_hook=str), **found}
        count, size = count + len(rows), size + len(msgspec.json.encode(entry))
        if count > most[0] or size > most[1]:
            if not entries:
                raise TooLargeError
            return Result({"entries": entries, "truncated": True}, count - len(rows))
        entries.append(entry)
    return Result({"entries": entries, "truncated": False}, count)
