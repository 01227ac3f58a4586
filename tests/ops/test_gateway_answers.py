"""Common headers, compression, and the limits of requests and connections per address."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.ops.gateways import ECHO, Gateway, gateway_before

MIB = 1 << 20
NOTHING = "default-src 'none'; frame-ancestors 'none'"
GREEDY, OTHER = ({"X-Forwarded-For": f"203.0.113.{number}"} for number in (7, 8))


@pytest.fixture
async def nginx(service, run_dir) -> AsyncIterator[Gateway]:
    """A gateway that trusts the test's forwarded addresses."""
    async with gateway_before(run_dir, [service.port], ("127.0.0.1",)) as running:
        yield running


@pytest.fixture
async def http(nginx) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(nginx.settings.gateway_url) as session:
        yield session


async def test_every_answer_says_what_a_browser_may_do_with_it(http, subtests):
    for method, path, status in [
        ("GET", ECHO, 200),
        ("GET", "/healthz", 200),
        ("GET", "/docs/", 200),
        ("GET", "/docs/specs/user.swagger.yaml", 200),
        ("GET", "/", 302),
        ("GET", "/nothing", 404),
        ("POST", "/docs/", 405),
        ("FETCH", ECHO, 405),
        ("GET", f"/{'a' * 10_000}", 414),
    ]:
        with subtests.test(method=method):
            async with http.request(method, path, allow_redirects=False) as answer:
                assert answer.status == status
            for name, value in (
                ("X-Content-Type-Options", "nosniff"),
                ("X-Frame-Options", "DENY"),
                ("Referrer-Policy", "no-referrer"),
            ):
                assert answer.headers.getall(name) == [value]
            (policy,) = answer.headers.getall("Content-Security-Policy")
            assert policy == NOTHING or (
                path.startswith("/docs/") and "script-src 'self';" in policy
            )
            assert answer.headers["Server"] == "nginx"


async def test_what_the_gateway_itself_refuses_is_in_the_envelope(http, subtests):
    for path, headers, status, code in [
        ("/api/users/v1", {}, 404, "NOT_FOUND"),
        ("/pages", {}, 404, "NOT_FOUND"),
        ("/docs/assets", {}, 404, "NOT_FOUND"),
        ("/docs/specs", {}, 404, "NOT_FOUND"),
        ("/docs/nothing.js", {}, 404, "NOT_FOUND"),
        ("/docs/", {"If-Match": '"another"'}, 412, "PRECONDITION_FAILED"),
        ("/docs/start.js", {"If-Unmodified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"}, 412, ""),
    ]:
        with subtests.test(path=path):
            async with http.get(path, headers=headers, allow_redirects=False) as answer:
                body = await answer.json()
            assert (answer.status, body["success"]) == (status, False)
            assert body["error"]["code"] == (code or "PRECONDITION_FAILED")


async def test_the_keys_of_tokens_are_where_clients_look_for_them(http, service):
    async with http.get("/.well-known/jwks.json") as answer:
        assert answer.status == 200
    assert [path for _, path, *_ in service.asked] == ["/.well-known/jwks.json"]


async def test_a_page_that_has_not_changed_is_not_sent_again_but_its_headers_are(http):
    async with http.get("/docs/start.js") as answer:
        tag = answer.headers["ETag"]
    async with http.get("/docs/start.js", headers={"If-None-Match": tag}) as answer:
        assert (answer.status, await answer.read()) == (304, b"")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_what_a_service_says_of_its_answer_is_not_said_twice(service, run_dir):
    said = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox"}
    service.headers = said
    async with (
        gateway_before(run_dir, [service.port]) as nginx,
        aiohttp.ClientSession(nginx.settings.gateway_url) as http,
        http.get(ECHO) as answer,
    ):
        assert {name: answer.headers.getall(name) for name in said} == {
            name: [value] for name, value in said.items()
        }


async def test_json_is_packed_unless_there_are_tokens_in_it(http):
    async with http.get(ECHO) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
    async with http.post("/api/users/v1/auth/login") as answer:
        assert answer.status == 200
        assert "Content-Encoding" not in answer.headers


async def test_sign_ins_have_a_limit_of_their_own(http):
    statuses: Counter[int] = Counter()

    async def sign_in(who: dict[str, str]) -> None:
        async with http.post("/api/users/v1/auth/login", headers=who) as answer:
            statuses[answer.status] += 1
            if answer.status == 429:
                assert answer.headers["Retry-After"] == "1"
                assert (await answer.json())["error"]["code"] == "RATE_LIMIT_EXCEEDED"

    since = time.monotonic()
    for _ in range(6):
        await asyncio.gather(*(sign_in(GREEDY) for _ in range(50)))
    allowed = 201 + 20 * (time.monotonic() - since)
    assert 200 <= statuses[200] <= allowed
    assert statuses[429] == 300 - statuses[200]
    async with http.get(ECHO, headers=GREEDY) as answer:  # what is no sign-in is not held up
        assert answer.status == 200
    statuses.clear()
    await sign_in(OTHER)
    assert statuses == {200: 1}


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_of_2_mib_passes_and_one_more_byte_does_not(http, service, chunked):
    async def parts(size: int) -> AsyncIterator[bytes]:
        for begin in range(0, size, MIB):
            yield bytes(min(MIB, size - begin))

    for size, status in ((2 * MIB, 200), (2 * MIB + 1, 413)):
        data = parts(size) if chunked else bytes(size)
        async with http.put(ECHO, data=data) as answer:
            assert answer.status == status
    assert [len(body) for *_, body in service.asked] == [2 * MIB]


async def test_bodies_that_trickle_hold_up_nobody_else(nginx, service, http):
    """600 such bodies from one address: the gateway accepts 500, and no service gets one."""
    port = nginx.settings.gateway_port
    begin = f"POST {ECHO} HTTP/1.1\r\nHost: a\r\nContent-Length: 50000\r\n" + "".join(
        f"{name}: {value}\r\n" for name, value in GREEDY.items()
    )
    held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(600)]
    try:
        for _, writer in held:
            writer.write(f"{begin}\r\nx".encode())
        for _ in range(10):
            for _, writer in held:
                if not writer.is_closing():
                    writer.write(b"x")
            async with asyncio.timeout(20), http.get(ECHO, headers=OTHER) as answer:
                assert answer.status == 200
        assert len(service.asked) == 10
        refused = 0
        for reader, _ in held:
            if reader._buffer:
                assert (await reader.readuntil()).startswith(b"HTTP/1.1 429 ")
                refused += 1
        assert refused == 100
        async with http.get(ECHO, headers=GREEDY) as answer:
            assert answer.status == 429
            assert json.loads(await answer.read())["error"]["code"] == "RATE_LIMIT_EXCEEDED"
    finally:
        for _, writer in held:
            writer.close()
