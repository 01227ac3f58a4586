"""Responses: the envelope around data and around errors, encoded once with msgspec."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from aiohttp import hdrs, web

from lib import context
from lib.errors import AppError, FieldError
from lib.http.etag import etag, matches_none
from lib.http.status import STATUS
from lib.resource.lists import PageQuery

JSON = "application/json; charset=utf-8"
_JSON_HEADERS: Mapping[str, str] = {hdrs.CONTENT_TYPE: JSON}


class PageMeta(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a page stands in its list. `degraded` names the upstreams whose part is missing."""

    page: int
    page_size: int
    total_count: int
    total_pages: int
    degraded: tuple[str, ...] = ()


class Success(msgspec.Struct, frozen=True, gc=False):
    """The envelope of one thing."""

    success: Literal[True]
    data: Any


class SuccessPage(msgspec.Struct, frozen=True, gc=False):
    """The envelope of a page of a list."""

    success: Literal[True]
    data: Any
    meta: PageMeta


class ErrorBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """What went wrong: a stable code, a text for people, the fields at fault, the id to quote."""

    code: str
    message: str
    request_id: str
    details: tuple[FieldError, ...] = ()


class Failure(msgspec.Struct, frozen=True):
    """The envelope of an error."""

    success: Literal[False]
    error: ErrorBody


# Decimals travel as text: a float would change them.
encode = msgspec.json.Encoder(decimal_format="string").encode


def json_response(
    body: Any, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """Return `body` encoded as JSON."""
    # Given as a header, the content type is not parsed and put together again for each response.
    merged = _JSON_HEADERS if headers is None else {**headers, **_JSON_HEADERS}
    return web.Response(body=encode(body), status=status, headers=merged)


def ok(data: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """Return `{"success": true, "data": …}`."""
    return json_response(Success(True, data), status=status, headers=headers)


def page_meta(wanted: PageQuery, total: int, *, degraded: tuple[str, ...] = ()) -> PageMeta:
    """Return the `meta` of a page of a list of `total` things."""
    return PageMeta(
        page=wanted.page,
        page_size=wanted.page_size,
        total_count=total,
        total_pages=-(-total // wanted.page_size),
        degraded=degraded,
    )


def page(
    data: Any, wanted: PageQuery, total: int, *, degraded: tuple[str, ...] = ()
) -> web.Response:
    """Return a page of a list of `total`: `{"success": true, "data": …, "meta": …}`."""
    return json_response(SuccessPage(True, data, page_meta(wanted, total, degraded=degraded)))


def item(request: web.Request, data: Any, *, version: int) -> web.Response:
    """Return one versioned thing with its `ETag`, or 304 where the caller has this version."""
    tag = etag(version)
    condition = request.headers.get(hdrs.IF_NONE_MATCH)
    if condition is not None and matches_none(condition, tag):
        return web.Response(status=304, headers={hdrs.ETAG: tag})
    return ok(data, headers={hdrs.ETAG: tag})


def changed(data: Any, *, version: int) -> web.Response:
    """Return one versioned thing after a change, with its new `ETag`."""
    return ok(data, headers={hdrs.ETAG: etag(version)})


def created(data: Any, *, location: str, version: int) -> web.Response:
    """Return 201 with where the new thing is and its `ETag`."""
    return ok(data, status=201, headers={hdrs.LOCATION: location, hdrs.ETAG: etag(version)})


def no_content() -> web.Response:
    """Return 204."""
    return web.Response(status=204)


def failure(error: AppError) -> web.Response:
    """Return `{"success": false, "error": …}` with the status of the error's code."""
    body = ErrorBody(
        code=error.code.value,
        message=error.message,
        request_id=context.request_id.get(),
        details=error.details,
    )
    return json_response(Failure(False, body), status=STATUS[error.code], headers=error.headers)
