"""A request that two programs could read differently is refused or has one meaning."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest
import pytest_asyncio

from devstack.embedded.ports import free_port
from tests.ops.gateways import ECHO, Gateway, StandIn, gateway_before

pytestmark = pytest.mark.asyncio(loop_scope="module")

HIDDEN = b"0\r\n\r\nGET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"
CHUNKED = "Transfer-Encoding: chunked\r\n"


class Answer(NamedTuple):
    """The response on one connection."""

    status: int
    head: str
    body: bytes


def post(headers: str, body: bytes = b"0\r\n\r\n", version: str = "1.1") -> bytes:
    return f"POST {ECHO} HTTP/{version}\r\nHost: a\r\n{headers}\r\n".encode("latin-1") + body


def get(headers: str = "", path: str = ECHO, version: str = "1.1") -> bytes:
    return f"GET {path} HTTP/{version}\r\nHost: a\r\n{headers}\r\n".encode("latin-1")


# What it is, the request, the status.
REFUSED = (
    ("a length and chunks", post(f"Content-Length: 4\r\n{CHUNKED}", HIDDEN), 400),
    ("chunks and a length", post(f"{CHUNKED}Content-Length: 4\r\n", HIDDEN), 400),
    ("two lengths", post("Content-Length: 4\r\nContent-Length: 5\r\n", b"abcde"), 400),
    ("the same length twice", post("Content-Length: 4\r\nContent-Length: 4\r\n", b"abcd"), 400),
    ("a list of lengths", post("Content-Length: 4, 4\r\n", b"abcd"), 400),
    ("a length with a sign", post("Content-Length: +4\r\n", b"abcd"), 400),
    ("a negative length", post("Content-Length: -1\r\n", b"abcd"), 400),
    ("a hexadecimal length", post("Content-Length: 0x4\r\n", b"abcd"), 400),
    ("a length of 23 digits", post(f"Content-Length: {'9' * 23}\r\n", b"abcd"), 400),
    ("an unknown encoding", post("Transfer-Encoding: xchunked\r\n", HIDDEN), 501),
    ("identity", post("Transfer-Encoding: identity\r\n", HIDDEN), 501),
    ("an encoding in chunks", post("Transfer-Encoding: gzip, chunked\r\n", HIDDEN), 501),
    ("two encodings", post(f"{CHUNKED}Transfer-Encoding: identity\r\n", HIDDEN), 400),
    ("a space before the colon", post("Transfer-Encoding : chunked\r\n", HIDDEN), 400),
    ("a tab before the encoding", post("Transfer-Encoding:\tchunked\r\n", HIDDEN), 501),
    ("a folded encoding", post("Transfer-Encoding:\r\n chunked\r\n", HIDDEN), 400),
    ("chunks in HTTP/1.0", post(CHUNKED, HIDDEN, "1.0"), 400),
    ("a chunk that is too long to count", post(CHUNKED, b"F" * 17 + b"\r\na"), 400),
    ("a negative chunk", post(CHUNKED, b"-1\r\na\r\n0\r\n\r\n"), 400),
    ("chunks with bare line feeds", post(CHUNKED, b"1\na\n0\n\n"), 400),
    ("a carriage return in a header", get("A: b\rX: y\r\n"), 400),
    ("a folded header", get("A: b\r\n c\r\n"), 400),
    ("a header before the first", f"GET {ECHO} HTTP/1.1\r\n Host: a\r\n\r\n".encode(), 400),
    ("NUL in a header", get("A: a\x00b\r\n"), 400),
    ("NUL in the address", get(path=f"{ECHO}/\x00"), 400),
    ("an escaped NUL in the address", get(path=f"{ECHO}/%00"), 400),
    ("an escape that is none", get(path=f"{ECHO}/%zz"), 400),
    ("two hosts", get("Host: b\r\n"), 400),
    ("no host", f"GET {ECHO} HTTP/1.1\r\n\r\n".encode(), 400),
    ("a host that is none", f"GET {ECHO} HTTP/1.1\r\nHost: a/b@c\r\n\r\n".encode(), 400),
    ("two tokens", get("Authorization: Bearer a\r\nAuthorization: Bearer b\r\n"), 400),
    ("a query of 9,000 bytes", get(path=f"{ECHO}?q={'a' * 9000}"), 414),
    ("headers of 35,000 bytes", get("".join(f"X-{n}: {'a' * 7000}\r\n" for n in range(5))), 431),
    ("3,000 headers", get("".join(f"X-{n}: {n}\r\n" for n in range(3000))), 431),
    ("a proxy's method", b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 405),
    ("a method that shows headers", get().replace(b"GET", b"TRACE", 1), 405),
    ("a method that is none", get().replace(b"GET", b"FETCH", 1), 405),
    ("a method of 5,000 letters", get().replace(b"GET", b"A" * 5000, 1), 405),
    ("a method in small letters", get().replace(b"GET", b"get", 1), 400),
    ("HTTP/2 as words", get(version="2.0"), 505),
    ("HTTP/2 that nobody agreed on", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"a" * 50, 400),
    ("a range beyond the end", get("Range: bytes=9999999-\r\n", "/docs/"), 416),
    ("a folder", get(path="/pages/"), 404),
    ("a package's folder", get(path="/docs/assets/"), 404),
)  # fmt: skip

# What it is, the request: they reach the service, once, in our words.
HARMLESS = (
    ("an encoding in odd letters", post("Transfer-Encoding: cHuNkEd\r\n")),
    ("a long chunk extension", post(CHUNKED, b"1;" + b"a" * 100_000 + b"\r\na\r\n0\r\n\r\n")),
    ("trailers", post(CHUNKED, b"0\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n")),
    ("bare line feeds", f"GET {ECHO} HTTP/1.1\nHost: a\n\n".encode()),
    ("the address of another host", get(path=f"http://evil.example{ECHO}")),
    ("no host in HTTP/1.0", f"GET {ECHO} HTTP/1.0\r\n\r\n".encode()),
    ("a promise to wait", post("Expect: 100-continue\r\nContent-Length: 2\r\n", b"{}")),
    ("an expectation that is none", post("Expect: 200-maybe\r\nContent-Length: 2\r\n", b"{}")),
    ("another protocol", get("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n")),
    ("headers named as ours alone", get("Connection: X-Forwarded-For, X-Request-ID\r\n")),
    ("headers with underscores", get("X_Forwarded_For: 6.6.6.6\r\nX_Request_ID: mine-1234\r\n")),
    ("headers that only we may set", get(
        "X-Forwarded-For: 6.6.6.6\r\nX-Real-IP: 6.6.6.6\r\nX-Forwarded-Proto: https\r\n"
        "X-Forwarded-Prefix: /evil\r\nX-Forwarded-Host: evil.example\r\nX-Deadline-Ms: 0\r\n"
    )),
    ("100 headers", get("".join(f"X-{n}: {n}\r\n" for n in range(100)))),
    ("a query of 7,000 bytes", get(path=f"{ECHO}?q={'a' * 7000}")),
)  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway() -> AsyncIterator[tuple[Gateway, StandIn]]:
    """One gateway for all tests, because a refused request changes nothing."""
    stand_in = StandIn(free_port())
    with tempfile.TemporaryDirectory(prefix="test-run-", ignore_cleanup_errors=True) as folder:
        async with (
            stand_in.serving(),
            gateway_before(Path(folder), [stand_in.port]) as running,
        ):
            yield running, stand_in


@pytest.fixture
def nginx(gateway) -> Gateway:
    return gateway[0]


@pytest.fixture
def service(gateway) -> StandIn:
    """The user service behind it, without any requests so far."""
    gateway[1].asked.clear()
    return gateway[1]


async def ask(nginx: Gateway, request: bytes) -> Answer:
    """Send only these bytes; return the first response, and require that it is the last."""
    reader, writer = await asyncio.open_connection("127.0.0.1", nginx.settings.gateway_port)
    try:
        writer.write(request)
        head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)).decode("latin-1")
        while head.startswith("HTTP/1.1 100"):
            head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)).decode("latin-1")
        length = re.search(r"(?i)^content-length: (\d+)", head, re.MULTILINE)
        body = await reader.readexactly(int(length[1]) if length else 0)
        # A second answer would be to a request that was hidden in the first.
        rest = b""
        with contextlib.suppress(TimeoutError, ConnectionError):
            rest = await asyncio.wait_for(reader.read(1000), 0.1)
        assert rest == b"", rest
        return Answer(int(head.split()[1]), head, body)
    finally:
        writer.close()


@pytest.mark.parametrize(
    ("request_", "status"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED]
)
async def test_a_request_that_could_be_read_in_two_ways_is_refused_in_the_envelope(
    nginx, service, request_, status
):
    answer = await ask(nginx, request_)
    error = json.loads(answer.body)["error"]
    assert (answer.status, set(error)) == (status, {"code", "message", "request_id"})
    assert f"X-Request-ID: {error['request_id']}" in answer.head
    assert "X-Content-Type-Options: nosniff" in answer.head
    assert service.asked == []


@pytest.mark.parametrize("request_", [r[1] for r in HARMLESS], ids=[r[0] for r in HARMLESS])
async def test_what_is_odd_but_clear_reaches_the_service_once_and_in_our_words(
    nginx, service, request_
):
    answer = await ask(nginx, request_)
    assert answer.status == 200
    ((_, path, headers, _),) = service.asked
    assert path.startswith("/api/v1/echo")
    assert headers["X-Forwarded-For"] == headers["X-Real-IP"] == "127.0.0.1"
    assert (headers["X-Forwarded-Proto"], headers["X-Forwarded-Prefix"]) == (
        "http",
        "/api/users/v1",
    )
    assert headers["X-Forwarded-Host"] == headers["Host"] != "evil.example"
    assert len(headers["X-Request-ID"]) == 32
    assert not {"Upgrade", "X-Deadline-Ms", "X_Forwarded_For", "X_Request_ID"} & set(headers)
    # A body that is still arriving is handed on in chunks of NGINX's own, and then has no length.
    assert headers.get("Transfer-Encoding", "chunked") == "chunked"
    assert not {"Transfer-Encoding", "Content-Length"} <= set(headers)


async def test_a_request_from_before_headers_is_refused(nginx, service):
    reader, writer = await asyncio.open_connection("127.0.0.1", nginx.settings.gateway_port)
    writer.write(f"GET {ECHO}\r\n".encode())
    assert json.loads(await asyncio.wait_for(reader.read(), 30))["success"] is False
    writer.close()
    assert service.asked == []
