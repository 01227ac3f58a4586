"""Responses: the envelope for data and errors, encoded once with msgspec."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Final, Generic, Literal, Protocol, TypeVar

import msgspec
from aiohttp import hdrs, web

from lib import context
from lib.errors import AppError, FieldError
from lib.http.etag import etag, matches_none
from lib.http.status import STATUS
from lib.http.whole import Whole
from lib.resource.cursors import CURSOR_EXAMPLE, Beside
from lib.resource.lists import Extent, PageQuery
from lib.resource.views import ReaderView

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
W = TypeVar("W", bound=Whole)


class Versioned(Protocol):
    """An object with a version, from which its `ETag` is made."""

    @property
    def version(self) -> int:
        """Return the number of changes so far."""


V = TypeVar("V", bound=Versioned)

JSON = "application/json; charset=utf-8"
_JSON_LINE: Final = f"Content-Type: {JSON}\r\n"


_Cursor = Annotated[str, msgspec.Meta(examples=[CURSOR_EXAMPLE])]


class PageMeta(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Pagination metadata: page number and totals, or cursors of the next and the previous page.

    `degraded` lists the upstream services that did not respond.
    """

    page: int | msgspec.UnsetType = msgspec.UNSET
    page_size: int
    total_count: int | msgspec.UnsetType = msgspec.UNSET
    total_pages: int | msgspec.UnsetType = msgspec.UNSET
    next_cursor: _Cursor | msgspec.UnsetType = msgspec.UNSET
    previous_cursor: _Cursor | msgspec.UnsetType = msgspec.UNSET
    degraded: Annotated[tuple[str, ...], msgspec.Meta(examples=[["points"]])] = ()


class Success(msgspec.Struct, frozen=True, gc=False):
    """The envelope of one object."""

    success: Literal[True]
    data: Any


class SuccessPage(msgspec.Struct, frozen=True, gc=False):
    """The envelope of a page of a list."""

    success: Literal[True]
    data: Any
    meta: PageMeta


class ErrorBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """An error: a stable code, a message, the invalid fields, and the request ID."""

    code: Annotated[str, msgspec.Meta(examples=["VALIDATION_ERROR"])]
    message: Annotated[str, msgspec.Meta(examples=["the request is not valid"])]
    request_id: Annotated[str, msgspec.Meta(examples=["9f86d081884c7d659a2feaa0c55ad015"])]
    details: tuple[FieldError, ...] = ()


class Failure(msgspec.Struct, frozen=True):
    """The response body of an error."""

    success: Literal[False]
    error: ErrorBody


# Decimals travel as text: a float would change them.
encode = msgspec.json.Encoder(decimal_format="string").encode


class Answer(Whole, Generic[T_co]):
    """A response with a T under `data`. Each subclass appears in the OpenAPI document."""

    success: ClassVar[int] = 200
    # Whether a caller who asks for it is answered 304 where nothing has changed.
    conditional: ClassVar[bool] = False


class Item(Answer[T_co]):
    """A response with a versioned object and its `ETag`. A matching `If-None-Match` gets 304."""

    conditional = True


class Created(Answer[T_co]):
    """A new thing."""

    success = 201


class Paged(Answer[T_co]):
    """A response with a T that contains a page of a list, and with the page's `meta`."""


class Page(Paged[Sequence[T_co]]):
    """A response with a page of a list of T."""


class Bare(Answer[T_co]):
    """A response with a T and no envelope, because a standard defines the body."""


class Done(Answer[Any]):
    """A successful response without a body (204)."""

    success = 204


def json_response(
    body: Any, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """Return `body` encoded as JSON."""
    return _json(Whole, body, status, headers)


def ok(data: T, *, headers: Mapping[str, str] | None = None) -> Answer[T]:
    """Return `{"success": true, "data": …}`."""
    return _json(Answer, Success(True, data), headers=headers)


def page_meta(wanted: PageQuery, total: Extent, *, degraded: tuple[str, ...] = ()) -> PageMeta:
    """Return the `meta` of a page, with the `total` number of items or with its two cursors."""
    if isinstance(total, Beside):
        return PageMeta(
            page_size=wanted.page_size,
            next_cursor=total.next or msgspec.UNSET,
            previous_cursor=total.previous or msgspec.UNSET,
            degraded=degraded,
        )
    return PageMeta(
        page=wanted.page,
        page_size=wanted.page_size,
        total_count=total,
        total_pages=-(-total // wanted.page_size),
        degraded=degraded,
    )


def paged(wanted: PageQuery, data: T, total: Extent, *, degraded: tuple[str, ...] = ()) -> Paged[T]:
    """Return `data`, an object that contains a page of a list, with the page's `meta`."""
    return _json(Paged, SuccessPage(True, data, page_meta(wanted, total, degraded=degraded)))


def page(wanted: PageQuery, rows: Sequence[T], total: Extent) -> Page[T]:
    """Return a page of a list with `total` items: `{"success": true, "data": …, "meta": …}`."""
    return _json(Page, SuccessPage(True, rows, page_meta(wanted, total)))


def item(request: web.Request, data: V) -> Item[V]:
    """Return a versioned object with its `ETag`, or 304 if the caller has this version."""
    condition = request.headers.get(hdrs.IF_NONE_MATCH)
    answer = changed(data)
    if condition is not None and matches_none(condition, answer.headers[hdrs.ETAG]):
        return Item(status=304, headers={hdrs.ETAG: answer.headers[hdrs.ETAG]})
    return answer


def changed(data: V) -> Item[V]:
    """Return a changed object with its new `ETag`."""
    return _tagged(Item, data)


def created(data: V, location: str, *, before: bool = False) -> Created[V]:
    """Return a response as `made` does, with the URL and `ETag` of the object."""
    status = 200 if before else 201
    return _tagged(Created, data, status, headers={hdrs.LOCATION: location})


def made(data: T, *, headers: Mapping[str, str] | None = None, before: bool = False) -> Created[T]:
    """Return 201 with a new object, or 200 with an existing object."""
    return _json(Created, Success(True, data), 200 if before else 201, headers)


def no_content() -> Done:
    """Return 204."""
    return Done(status=204)


def failure(error: AppError) -> web.Response:
    """Return `{"success": false, "error": …}` with the status of the error's code."""
    body = ErrorBody(
        code=error.code.value,
        message=error.message,
        request_id=context.request_id.get(),
        details=error.details,
    )
    return json_response(Failure(False, body), status=STATUS[error.code], headers=error.headers)


def _tagged(
    kind: type[W], data: Versioned, status: int = 200, headers: Mapping[str, str] | None = None
) -> W:
    body = encode(Success(True, data))
    tag = etag(data.version, body if isinstance(data, ReaderView) else None)
    lines = f"{_JSON_LINE}ETag: {tag}\r\n"
    return kind(body=body, status=status, headers=headers, lines=lines)


def _json(
    kind: type[W], body: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> W:
    return kind(body=encode(body), status=status, headers=headers, lines=_JSON_LINE)
