"""Store a session's pagination cursors, and give the assistant a random token for each.

A cursor contains the sort keys of a row, which may be the values of a masked column. So the
assistant gets only the token, and the cursor stays in the server.
"""

from __future__ import annotations

import json
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final

_MOST: Final = 1000  # cursors of one session; the oldest is forgotten


class UnknownCursorError(Exception):
    """Raised if a token has no cursor, or a cursor of another call. The message says which."""


class Cursors:
    """The pagination cursors of a session, by token."""

    def __init__(self) -> None:
        self._held: OrderedDict[str, tuple[str, Any]] = OrderedDict()

    def handle(self, cursor: Any, call: str) -> str | None:
        """Store a call's cursor and return a random token for it; without a cursor, return None."""
        if cursor is None:
            return None
        text = secrets.token_urlsafe(12)
        self._held[text] = (call, cursor)
        if len(self._held) > _MOST:
            self._held.popitem(last=False)
        return text

    def read(self, text: str, call: str) -> Any:
        """Return the cursor for a token. Raises `UnknownCursorError`."""
        of, cursor = self._held.get(text, ("", None))
        if cursor is None:
            raise UnknownCursorError("`cursor` is unknown or expired: start without a cursor")
        if of != call:
            raise UnknownCursorError("`cursor` belongs to a call with other arguments")
        return cursor


def call_of(tool: str, given: Mapping[str, Any]) -> str:
    """Return the tool and its arguments as text, without `cursor` and `page_size`.

    The text is equal for all pages of a list.
    """
    rest = {name: value for name, value in given.items() if name not in {"cursor", "page_size"}}
    return json.dumps([tool, rest], sort_keys=True)
