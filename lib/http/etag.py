"""Entity tags from row versions, and the two conditional headers."""

from __future__ import annotations

import re

from aiohttp import web

from lib.errors import AppError, Code
from lib.resource.rules import stale

_STRONG = re.compile(
    r'"([1-9][0-9]{0,17})"'
)  # as `etag` writes it, nothing that int() takes as well


def etag(version: int) -> str:
    """Return the tag of a version with its quotes: `3` → `"3"`."""
    return f'"{version}"'


def matches_none(header: str, tag: str) -> bool:
    """Return whether an `If-None-Match` header contains `tag`. The comparison is weak."""
    tags = (part.strip().removeprefix("W/") for part in header.split(","))
    return any(candidate in ("*", tag) for candidate in tags)


def if_match(request: web.Request) -> int | None:
    """Return the version that the caller requires, or None for any version.

    Raises:
        AppError: PRECONDITION_FAILED where the header cannot match any version of ours.
    """
    header = request.headers.get("If-Match")
    if header is None or header.strip() == "*":
        return None
    found = _STRONG.fullmatch(header.strip())
    if found is None:
        raise stale()
    return int(found[1])


def require_if_match(request: web.Request) -> int | None:
    """Return as `if_match`. Raises PRECONDITION_REQUIRED without the header.

    Raises:
        AppError: PRECONDITION_REQUIRED without the header; PRECONDITION_FAILED as `if_match`.
    """
    if "If-Match" not in request.headers:
        raise AppError(
            Code.PRECONDITION_REQUIRED, "If-Match is required: send the resource's ETag, or *"
        )
    return if_match(request)
