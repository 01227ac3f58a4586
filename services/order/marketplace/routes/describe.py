"""What the descriptions of these routes have in common."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from aiohttp.typedefs import Handler

from lib.errors import Code
from lib.http.openapi import operation

ID: Final = {"id": UUID}
SEEN: Final = ("If-None-Match",)
VERSION: Final = ("If-Match",)
CHANGE_ERRORS: Final = (Code.NOT_FOUND, Code.CONFLICT, Code.PRECONDITION_FAILED)


def described(handler: Handler, name: str, summary: str, tag: str, **about: Any) -> Handler:
    """Name a handler that was made by a function and describe it, as `operation` does."""
    handler.__name__ = name
    return operation(summary=summary, tags=(tag,), **about)(handler)
