"""Responses whose head and body are written together."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, cast

from aiohttp import hdrs, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.helpers import rfc822_formatted_time
from aiohttp.http import SERVER_SOFTWARE, HttpVersion11
from multidict import CIMultiDict

# Their answers have no body, and rules of their own about its length.
_WITHOUT_BODY: Final = frozenset({204, 205, 304})
# What is written below; where a handler has set one itself, the library writes.
_WRITTEN_HERE: Final = frozenset(
    {hdrs.CONTENT_LENGTH, hdrs.CONNECTION, hdrs.DATE, hdrs.SERVER, hdrs.TRANSFER_ENCODING}
)
_REASONS: Final = {status.value: status.phrase for status in HTTPStatus}
# The library's default, which it has no public name for.
_ZLIB_EXECUTOR_SIZE: Final = web.Response()._zlib_executor_size  # noqa: SLF001 - as said


class Whole(web.Response):
    """A response that writes its head and body together, except in the following cases.

    aiohttp writes a response that is compressed or chunked, has no body, sets cookies, or belongs
    to an application with an `on_response_prepare` signal.

    Headers can be passed as `lines`; each line has its line end and contains only characters that
    are valid in a header. `lines` become `headers` if there are other headers or if a caller reads
    `headers`. A table of headers would cost more than the rest of a response.
    """

    _written: bytes | None = None

    def __init__(
        self,
        *,
        body: bytes | None = None,
        status: int = 200,
        reason: str | None = None,
        headers: Mapping[str, str] | None = None,
        lines: str = "",
        **others: Any,
    ) -> None:
        self._lines = ""
        self._table: CIMultiDict[str] | None = None
        if others or reason is not None:
            super().__init__(body=body, status=status, reason=reason, headers=headers, **others)
            add_lines(self, lines)
            return
        # What the library's constructor leaves behind, which a test compares, for a quarter of it.
        self._state = {}
        if headers is not None:
            self._table = CIMultiDict(headers)
        self._status, self._reason = status, _REASONS.get(status, "")
        self._body = body
        self._compressed_body = None
        self._zlib_executor_size = _ZLIB_EXECUTOR_SIZE
        self._zlib_executor = None
        add_lines(self, lines)

    @property  # type: ignore[override] # read-only in one of the library's classes, set in another
    def _headers(self) -> CIMultiDict[str]:
        """Return aiohttp's table of headers, with the headers from `lines`."""
        table = self._table
        if table is None:
            table = self._table = CIMultiDict()
        for line in self._lines.splitlines():
            name, _, value = line.partition(": ")
            table[name] = value
        self._lines = ""
        return table

    @_headers.setter
    def _headers(self, table: CIMultiDict[str]) -> None:
        self._table = table

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Make the head."""
        head = None if self.prepared else self._head(request)
        if head is None:
            return await super().prepare(request)
        self._written = head.encode() + cast("bytes", self._body)
        self._req = request
        self._must_be_empty_body = False
        writer = self._payload_writer = request.writer
        return writer

    async def write_eof(self, data: bytes = b"") -> None:
        """Write the head and the body."""
        writer, written = self._payload_writer, self._written
        if writer is None or written is None:
            await super().write_eof(data)
            return
        await writer.write_eof(written)
        self._eof_sent = True
        self._req = self._payload_writer = self._written = None
        self._body_length = writer.output_size

    def _head(self, request: web.BaseRequest) -> str | None:
        """Return the response head, or None if aiohttp must build the head."""
        body, lines = self._body, self._lines
        if type(body) is not bytes or not self._is_plain(request):
            return None
        if table := self._table:
            if any(name in table for name in _WRITTEN_HERE):
                return None
            for name, value in table.items():
                line = name + ": " + value
                if not line.isprintable():  # the library refuses control characters
                    return None
                lines += line + "\r\n"
        kind = ""
        if body and not has_header(self, "Content-Type"):
            kind = "Content-Type: application/octet-stream\r\n"
        if self._keep_alive is None:
            self._keep_alive = request.keep_alive
        last = "" if self._keep_alive else "Connection: close\r\n"
        return (
            f"HTTP/1.1 {self._status} {self._reason}\r\n"
            f"{lines}Content-Length: {len(body)}\r\n{kind}"
            f"Date: {rfc822_formatted_time()}\r\nServer: {SERVER_SOFTWARE}\r\n{last}\r\n"
        )

    def _is_plain(self, request: web.BaseRequest) -> bool:
        return (
            type(request) is web.Request
            and request.version == HttpVersion11
            and request.method != hdrs.METH_HEAD
            and self._status >= 200
            and self._status not in _WITHOUT_BODY
            and not self._cookies
            and not self._chunked
            and not self._compression
            and not request.app.on_response_prepare
        )


def has_header(response: web.StreamResponse, name: str) -> bool:
    """Return whether a response has a header."""
    lines: str | None = getattr(response, "_lines", None)
    if lines is None:
        return name in response.headers
    table = cast("Whole", response)._table  # noqa: SLF001 - of this module
    return f"{name}: " in lines or (table is not None and name in table)


def add_lines(response: web.StreamResponse, lines: str, cache_control: str = "") -> None:
    """Add header lines. No name may be in the lines that the response has already.

    A line replaces a header that was set in `response.headers`. `cache_control` is added only if
    the response has no such header.
    """
    if cache_control and not has_header(response, "Cache-Control"):
        lines += f"Cache-Control: {cache_control}\r\n"
    # Not `isinstance`: for these classes it costs more than the rest.
    if getattr(response, "_lines", None) is None:
        for line in lines.splitlines():
            name, _, value = line.partition(": ")
            response.headers[name] = value
        return
    whole = cast("Whole", response)
    whole._lines += lines  # noqa: SLF001 - of this module
    if whole._table:  # noqa: SLF001 - as above
        _ = whole.headers  # which takes the lines in
