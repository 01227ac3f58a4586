"""A connection that responds to invalid HTTP and logs it in the same way as other errors."""

from __future__ import annotations

from aiohttp import web
from aiohttp.http import HttpProcessingError
from aiohttp.web_protocol import RequestHandler

from lib import context
from lib.errors import AppError, Code
from lib.http.respond import failure
from lib.log import get_logger

log = get_logger(__name__)


class Connection(RequestHandler):
    """Respond to invalid HTTP with our error body, because aiohttp would quote and log the request.

    An invalid request may contain a token, so the log has only the kind of the error and no part of
    the request.
    """

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Return the response to an invalid request. After it, the connection is closed."""
        if not isinstance(exc, HttpProcessingError):
            return super().handle_error(request, status, exc, message)
        made = context.accept_request_id(
            None
        )  # each request is its own task: nothing needs undoing
        context.request_id.set(made)
        log.warning("request_not_read", kind=type(exc).__name__, client_ip=request.remote)
        answer = failure(AppError(Code.BAD_REQUEST, "malformed HTTP request"))
        answer.headers[context.REQUEST_ID_HEADER] = made
        answer.force_close()
        return answer
