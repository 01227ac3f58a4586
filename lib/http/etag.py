"""Entity tags from row versions, and the headers `If-Match` and `If-None-Match`.

A tag is the version in quotes. If the body depends on more than the row, a digest of the body
follows the version. `If-Match` compares versions only. `If-None-Match` compares whole tags.
"""

from __future__ import annotations

import re
from hashlib import blake2b

from aiohttp import web

from lib.errors import AppError, Code
from lib.resource.rules import stale

# As `etag` writes it, nothing that int() takes as well.
_STRONG = re.compile(r'"([1-9][0-9]{0,17})(?:-[0-9a-f]{16})?"')


def etag(version: int, body: bytes | None = None) -> str:
    """Return the tag of a version, such as `"3"`, or with a digest of `body`, `"3-9f86…"`."""
    if body is None:
        return f'"{version}"'
    return f'"{version}-{blake2b(body, digest_size=8).hexdigest()}"'


def matches_none(header: str, tag: str) -> bool:
    """Return whether an `If-None-Match` header contains `tag`, with or without `W/`."""
    tags = (part.strip().removeprefix("W/") for part in header.split(","))
    return any(candidate in ("*", tag) for candidate in tags)


def if_match(request: web.Request) -> int | None:
    """Return the version that the caller requires with `If-Match`, or None for any version.

    Raises:
        AppError: PRECONDITION_FAILED if the header cannot match any version.
    """
    header = request.headers.get("If-Match")
    if header is None or header.strip() == "*":
        return None
    found = _STRONG.fullmatch(header.strip())
    if found is None:
        raise stale()
    return int(found[1])


def require_if_match(request: web.Request) -> int | None:
    """Return the required version as `if_match` does.

    Raises:
        AppError: PRECONDITION_REQUIRED if the header is missing; PRECONDITION_FAILED as in
            `if_match`.
    """
    if "If-Match" not in request.headers:
        raise AppError(
            Code.PRECONDITION_REQUIRED, "If-Match is required: send the resource's ETag, or *"
        )
    return if_match(request)
