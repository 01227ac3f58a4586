"""The cursors that one session has received, each under a random text.

A cursor contains the sort keys of a row, which may be the values of a masked column. So the
assistant gets a random text in its place, and the cursor stays in the server.
"""

from __future__ import annotations

import json
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final

_MOST: Final = 1000  # cursors of one session; the oldest is forgotten


class UnknownCursorError(Exception):
    """Raised for a text that is not a cursor of this call. The message gives the reason."""


class Cursors:
    """The cursors of a session."""

    def __init__(self) -> None:
        self._held: OrderedDict[str, tuple[str, Any]] = OrderedDict()

    def handle(self, cursor: Any, call: str) -> str | None:
        """Store a cursor of a call and return a random text for it, or None without a cursor."""
        if cursor is None:
            return None
        text = secrets.token_urlsafe(12)
        self._held[text] = (call, cursor)
        if len(self._held) > _MOST:
            self._held.popitem(last=False)
        return text

    def read(self, text: str, call: str) -> Any:
        """Return the cursor for a text. Raises `UnknownCursorError`."""
        of, cursor = self._held.get(text, ("", None))
        if cursor is None:
            raise UnknownCursorError("`cursor` is unknown or expired: start without a cursor")
        if of != call:
            raise UnknownCursorError("`cursor` belongs to a call with other arguments")
        return cursor


def call_of(tool: str, given: Mapping[str, Any]) -> str:
    """Return a text that is equal for all pages of a list: the tool, and most arguments."""
    rest = {name: value for name, value in given.items() if name not in {"cursor", "page_size"}}
    return json.dumps([tool, rest], sort_keys=True)
