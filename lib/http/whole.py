"""Responses with their whole body, written in one step instead of the fourteen of aiohttp."""

from __future__ import annotations

from typing import Final, cast

from aiohttp import hdrs, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.helpers import rfc822_formatted_time
from aiohttp.http import SERVER_SOFTWARE, HttpVersion11

# Their answers have no body, and rules of their own about its length.
_WITHOUT_BODY: Final = frozenset({204, 205, 304})


class Whole(web.Response):
    """A response that writes its head and body together. Others are written by aiohttp.

    Others are compressed or chunked, have no body or set cookies, or belong to an application with
    an `on_response_prepare` signal.
    """

    _is_prepared_whole = False

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Write the head."""
        body = self._body
        if self.prepared or type(body) is not bytes or not self._is_plain(request):
            return await super().prepare(request)
        keep_alive = self._keep_alive
        if keep_alive is None:
            keep_alive = self._keep_alive = request.keep_alive
        headers = self._headers
        headers[hdrs.CONTENT_LENGTH] = str(len(body))
        if body and hdrs.CONTENT_TYPE not in headers:
            headers[hdrs.CONTENT_TYPE] = "application/octet-stream"
        headers.setdefault(hdrs.DATE, rfc822_formatted_time())
        headers.setdefault(hdrs.SERVER, SERVER_SOFTWARE)
        if not keep_alive:
            headers[hdrs.CONNECTION] = "close"
        self._req = request
        self._must_be_empty_body = False
        self._is_prepared_whole = True
        writer = self._payload_writer = request.writer
        await writer.write_headers(f"HTTP/1.1 {self._status} {self._reason}", headers)
        return writer

    async def write_eof(self, data: bytes = b"") -> None:
        """Write the body, with the head before it."""
        writer = self._payload_writer
        if writer is None or not self._is_prepared_whole:
            await super().write_eof(data)
            return
        await writer.write_eof(cast("bytes", self._body))
        self._eof_sent = True
        self._req = self._payload_writer = None
        self._body_length = writer.output_size

    def _is_plain(self, request: web.BaseRequest) -> bool:
        return (
            isinstance(request, web.Request)
            and request.version == HttpVersion11
            and request.method != hdrs.METH_HEAD
            and self._status >= 200
            and self._status not in _WITHOUT_BODY
            and not self._cookies
            and not self._chunked
            and not self._compression
            and not request.app.on_response_prepare
        )
