"""Cached responses with entity tags, and their invalidation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from hashlib import blake2b
from typing import Final, TypeVar

from aiohttp import web

from lib.cache import Cache, Loaded
from lib.http.etag import etag, matches_none
from lib.http.respond import JSON, Item, Page, Success, SuccessPage, Versioned, encode, page_meta
from lib.resource.lists import Extent, PageQuery

CACHE: Final = web.AppKey("CACHE", Cache)

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
R = TypeVar("R", bound=web.Response)
V = TypeVar("V", bound=Versioned)

ITEM_SECONDS: Final = 300
LIST_SECONDS: Final = 60


class TaggedPage(Page[T_co]):
    """A page with an `ETag`. A matching `If-None-Match` gets 304."""

    conditional = True


async def item(
    request: web.Request,
    key: str,
    tags: Sequence[str],
    load: Callable[[], Awaitable[V]],
) -> Item[V]:
    """Return one entry with its version as `ETag`."""

    async def loaded() -> Loaded:
        found = await load()
        return Loaded(_packed(etag(found.version), encode(Success(True, found))))

    return await _answer(Item, request, key, tags, ITEM_SECONDS, loaded)


async def page(
    request: web.Request,
    key: str,
    tags: Sequence[str],
    wanted: PageQuery,
    load: Callable[[], Awaitable[tuple[Sequence[T], Extent]]],
) -> TaggedPage[T]:
    """Return one page with an `ETag` of its content. If `tags` is empty, do not use the cache."""

    async def loaded() -> Loaded:
        rows, total = await load()
        body = encode(SuccessPage(True, rows, page_meta(wanted, total)))
        return Loaded(_packed(f'"{blake2b(body, digest_size=16).hexdigest()}"', body))

    named = f"{key}?{_named(wanted)}"
    return await _answer(TaggedPage, request, named, tags, LIST_SECONDS, loaded)


async def changed(request: web.Request, tags: Sequence[str]) -> None:
    """Invalidate the cache at once after a change.

    The event of the change invalidates the cache again.
    """
    await request.app[CACHE].forget_soon(tags)


async def _answer(
    kind: type[R],
    request: web.Request,
    key: str,
    tags: Sequence[str],
    seconds: int,
    load: Callable[[], Awaitable[Loaded]],
) -> R:
    if tags:
        packed = await request.app[CACHE].get(key, tags=tags, seconds=seconds, load=load)
    else:
        packed = (await load()).answer
    tag, _, body = packed.partition(b"\n")
    # A cache revalidates the response every time, and gets 304 if it is unchanged.
    headers = {"ETag": tag.decode(), "Cache-Control": "no-cache"}
    condition = request.headers.get("If-None-Match")
    if condition is not None and matches_none(condition, headers["ETag"]):
        return kind(status=304, headers=headers)
    return kind(body=body, headers={**headers, "Content-Type": JSON})


def _packed(tag: str, body: bytes) -> bytes:
    return tag.encode() + b"\n" + body


def _named(wanted: PageQuery) -> str:
    """Return a query string in normalized form, to be used as a cache key."""
    return encode(wanted).decode()
