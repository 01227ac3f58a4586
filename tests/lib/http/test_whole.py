"""Responses written in one step: their bytes equal those of aiohttp."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

import pytest
from aiohttp import web

from lib.http.whole import Whole, add_lines, has_header

BODY = b'{"success":true}' * 20


def plain(kind: type[web.Response]) -> web.Response:
    return kind(body=BODY, headers={"ETag": '"3"', "Content-Type": "application/json"})


def with_cookie(kind: type[web.Response]) -> web.Response:
    answer = plain(kind)
    answer.set_cookie("a", "b")
    return answer


def compressed(kind: type[web.Response]) -> web.Response:
    answer = plain(kind)
    answer.enable_compression()
    return answer


def chunked(kind: type[web.Response]) -> web.Response:
    answer = plain(kind)
    answer.enable_chunked_encoding()
    return answer


def last(kind: type[web.Response]) -> web.Response:
    answer = plain(kind)
    answer.force_close()
    return answer


ANSWERS: dict[str, Callable[[type[web.Response]], web.Response]] = {
    "plain": plain,
    "with a cookie": with_cookie,
    "compressed": compressed,
    "in chunks": chunked,
    "the last of its connection": last,
    "a failure": lambda kind: kind(status=503, reason="Away", body=b"{}"),
    "empty": lambda kind: kind(body=b""),
    "without a body": lambda kind: kind(),
    "204": lambda kind: kind(status=204),
    "204 with a body": lambda kind: kind(status=204, body=BODY),
    "304 with a body": lambda kind: kind(status=304, body=BODY),
    "with a date of its own": lambda kind: kind(body=BODY, headers={"date": "then"}),
    "304": lambda kind: kind(status=304, headers={"ETag": '"3"'}),
}
REQUESTS = {
    "GET": b"GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n",
    "HEAD": b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET, and close": b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "GET of HTTP/1.0": b"GET / HTTP/1.0\r\nHost: a\r\n\r\n",
}


async def asked(aiohttp_server, answer: web.Response, request: bytes) -> bytes:
    """Return all bytes that a server writes for one request, without its date and compressor ID."""

    async def handler(_: web.Request) -> web.Response:
        return answer

    app = web.Application()
    app.add_routes([web.get("/", handler)])
    server = await aiohttp_server(app)
    reader, writer = await asyncio.open_connection(server.host, server.port)
    writer.write(request)
    if b"close" not in request and answer.keep_alive is not False and b"1.0" not in request:
        # What follows shows where the first answer ended and that the connection lasts.
        writer.write(b"GET /none HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    written = await reader.read()
    writer.close()
    return re.sub(rb"Date: [^\r]+", b"Date: then", written)


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
@pytest.mark.parametrize("make", ANSWERS.values(), ids=ANSWERS)
async def test_the_bytes_are_the_library_s(aiohttp_server, make, request_) -> None:
    if make is chunked and b"1.0" in request_:
        pytest.skip("the library refuses chunks for HTTP/1.0")
    own = await asked(aiohttp_server, make(Whole), request_)
    assert own == await asked(aiohttp_server, make(web.Response), request_)


async def test_a_prepare_signal_still_changes_the_response(aiohttp_client) -> None:
    async def handler(_: web.Request) -> web.Response:
        return plain(Whole)

    async def change(_: web.Request, response: web.StreamResponse) -> None:
        response.headers["X-Late"] = "yes"

    app = web.Application()
    app.add_routes([web.get("/", handler)])
    app.on_response_prepare.append(change)
    async with (await aiohttp_client(app)).get("/") as answer:
        assert (answer.headers["X-Late"], await answer.read()) == ("yes", BODY)


async def test_an_answer_that_was_sent_is_not_sent_again(aiohttp_client) -> None:
    answer = plain(Whole)

    async def handler(request: web.Request) -> web.Response:
        await answer.prepare(request)
        await answer.write_eof()
        return answer

    app = web.Application()
    app.add_routes([web.get("/", handler)])
    client = await aiohttp_client(app)
    async with client.get("/") as first:
        assert await first.read() == BODY
    assert answer.body_length > len(BODY)


GIVEN = [
    {},
    {"body": BODY, "headers": {"ETag": '"3"'}},
    {"status": 404, "body": b""},
    {"status": 599},
    {"status": 503, "reason": "Away"},
]


@pytest.mark.parametrize("given", GIVEN, ids=str)
def test_the_constructor_leaves_what_the_library_s_does(given) -> None:
    library, own = web.Response(**given), Whole(**given)
    assert {name: getattr(own, name) for name in vars(library)} == vars(library)


@pytest.mark.parametrize("make", ANSWERS.values(), ids=ANSWERS)
@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
async def test_a_line_is_written_as_the_header_that_it_is(aiohttp_server, make, request_) -> None:
    if make is chunked and b"1.0" in request_:
        pytest.skip("the library refuses chunks for HTTP/1.0")
    own, library = make(Whole), make(web.Response)
    for answer in (own, library):
        add_lines(answer, "X-One: 1\r\nX-Two: 2\r\n")
        add_lines(answer, "Cache-Control: no-store\r\n")
    assert await asked(aiohttp_server, own, request_) == await asked(
        aiohttp_server, library, request_
    )


@pytest.mark.parametrize("kind", [Whole, web.Response])
@pytest.mark.parametrize("body", [BODY, None])
async def test_a_line_replaces_a_header_of_its_name(aiohttp_server, kind, body) -> None:
    answer = kind(body=body, headers={"x-one": "old", "X-Two": "kept"})
    add_lines(answer, "X-One: new\r\n")
    written = await asked(aiohttp_server, answer, REQUESTS["GET, and close"])
    assert b"X-One: new\r\n" in written
    assert b"X-Two: kept\r\n" in written
    assert b"old" not in written


@pytest.mark.parametrize("kind", [Whole, web.Response])
def test_a_line_is_a_header_for_who_asks(kind) -> None:
    answer = kind(body=BODY, headers={"X-Two": "2"})
    add_lines(answer, "X-One: 1\r\n")
    assert [has_header(answer, name) for name in ("X-One", "X-Two", "X-Three")] == [1, 1, 0]
    assert (answer.headers["x-one"], answer.headers["x-two"]) == ("1", "2")
    answer.headers["X-One"] = "3"
    assert (answer.headers["X-One"], has_header(answer, "X-One")) == ("3", True)


@pytest.mark.parametrize("value", ["a\r\nX-Two: 2", "a\0", "a\x7f"])
async def test_no_header_ends_its_line(aiohttp_server, value) -> None:
    answer = Whole(body=BODY, headers={"X-One": value})
    written = await asked(aiohttp_server, answer, REQUESTS["GET, and close"])
    assert b"X-Two" not in written
    assert BODY not in written
