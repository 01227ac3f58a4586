"""Convert any exception to a response, and write its cause to the log."""

from __future__ import annotations

from aiohttp import web
from multidict import CIMultiDict

from lib.errors import AppError, Code
from lib.http.respond import failure
from lib.http.status import STATUS, code_for
from lib.log import get_logger

log = get_logger(__name__)

_MESSAGES = {
    404: "there is no such path",
    405: "this path does not support the method",
    413: "the request body is too large",
}
# Headers of aiohttp's own errors that belong to the body we replace.
_BODY_HEADERS = ("Content-Type", "Content-Length")


def status_of(error: BaseException) -> int:
    """Return the HTTP status of the response that `to_response` makes of the error."""
    if isinstance(error, AppError):
        return STATUS[error.code]
    if isinstance(error, web.HTTPException):
        return error.status
    if isinstance(error, TimeoutError):
        return STATUS[Code.DEADLINE_EXCEEDED]
    return STATUS[Code.INTERNAL_ERROR]


def to_response(error: Exception) -> web.StreamResponse:
    """Convert `error` to a response.

    An unexpected error is logged, and the caller gets a 500 without details.
    """
    if isinstance(error, AppError):
        return failure(error)
    if isinstance(error, web.HTTPException):
        return _from_http(error)
    if isinstance(error, TimeoutError):
        return failure(AppError(Code.DEADLINE_EXCEEDED, "the request took too long"))
    log.error("unhandled_exception", exc_info=error)
    return failure(AppError(Code.INTERNAL_ERROR, "internal error"))


def _from_http(error: web.HTTPException) -> web.StreamResponse:
    if error.status < 400:
        # A redirect is an answer, not a failure. Copied: a raised one must not be returned.
        return web.Response(status=error.status, headers=_kept(error))
    message = _MESSAGES.get(error.status, error.reason or "the request failed")
    response = failure(AppError(code_for(error.status), message, headers=dict(_kept(error))))
    # An unusual status keeps its number although its code is a general one.
    response.set_status(error.status)
    return response


def _kept(error: web.HTTPException) -> CIMultiDict[str]:
    headers = CIMultiDict(error.headers)
    for name in _BODY_HEADERS:
        headers.popall(name, None)
    return headers
