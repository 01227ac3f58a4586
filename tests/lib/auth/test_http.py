"""Authentication, guards, cookies, CSRF and limits over HTTP, on a real server."""

from __future__ import annotations

import asyncio
import io
import json
from collections import Counter
from collections.abc import Awaitable
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from prometheus_client import CollectorRegistry
from pytest_aiohttp.plugin import AiohttpClient

from lib import log
from lib.auth import (
    Issuer,
    Role,
    SigningKey,
    StaticKeys,
    Verifier,
    cookies,
    csrf,
    current_principal,
    require,
    require_role,
    self_or,
    tokens,
)
from lib.auth.principal import require_principal
from lib.config import Settings
from lib.http.middleware.admission import PER_CLIENT, Admission, not_yet
from lib.http.middleware.auth import Authenticator, public
from lib.http.middleware.stack import MiddlewareStack
from lib.http.routes import Routes, signed_in
from lib.limits import Limiter, TokenBucket, Window
from lib.limits.client_address import TrustedProxies

KEY = SigningKey.generate()
PER_USER = Window(600, 60.0)
SECRET = b"s" * 32
ISSUE = Issuer(KEY, issuer="i", audience="a", ttl=timedelta(minutes=15))
route = Routes("doors")
Client = TestClient[web.Request, web.Application]


@public
async def open_door(request: web.Request) -> web.Response:
    principal = current_principal()
    return web.json_response({"who": principal.subject if principal else None})


async def closed_door(request: web.Request) -> web.Response:
    principal = require_principal()
    return web.json_response({"who": principal.subject, "by": principal.transport})


@route(
    "GET /permission", "For a permission", access=signed_in(require("users:write", "users:read"))
)
async def by_permission(request: web.Request) -> web.Response:
    return web.json_response({})


@route("GET /role", "", access=signed_in(require_role(Role.ADMIN, Role.STAFF), verified=True))
async def by_role(request: web.Request) -> web.Response:
    return web.json_response({})


async def by_owner(request: web.Request) -> web.Response:
    owner = self_or(require_principal(), request.match_info["id"], Role.ADMIN)
    return web.json_response({"owner": owner})


async def probe(request: web.Request) -> web.Response:
    return web.json_response({})


def application(
    per_client: TokenBucket = PER_CLIENT,
    per_user: Window = PER_USER,
    proxies: TrustedProxies | None = None,
    keys: StaticKeys | None = None,
) -> web.Application:
    verifier = Verifier(keys or StaticKeys([KEY]), issuer="i", audience="a")
    limiter = Limiter(None)
    middleware = MiddlewareStack(Settings(), CollectorRegistry())
    middleware.proxies = proxies or TrustedProxies()
    authenticator = Authenticator(verifier, csrf_secret=SECRET)
    middleware.admit = Admission(authenticator, limiter, per_user, per_client=per_client).admit
    app = web.Application(middlewares=[middleware.serve])
    app.add_routes(
        [
            web.get("/open", open_door), web.post("/open", open_door),
            web.get("/closed", closed_door), web.post("/closed", closed_door),
            *route,
            web.get("/users/{id}", by_owner), web.get("/health", probe), web.get("/metrics", probe),
        ]
    )  # fmt: skip
    return app


@pytest.fixture
async def client(aiohttp_client: AiohttpClient) -> Client:
    return await aiohttp_client(application())


def bearer(
    subject: str = "user-1", *roles: Role, may: tuple[str, ...] = (), verified: bool = False
) -> dict[str, str]:
    token = ISSUE.issue(subject, roles, may, verified=verified, session="s-1").token
    return {"Authorization": f"Bearer {token}"}


def browser(session: str = "s-1", **headers: str) -> dict[str, Any]:
    token = ISSUE.issue("user-1", [Role.CUSTOMER], [], session="s-1").token
    named = {cookies.ACCESS: token, csrf.COOKIE: csrf.issue(SECRET, session)}
    return {"cookies": named, "headers": headers}


async def status(call: Awaitable[Any]) -> int:
    return int((await call).status)


async def test_a_closed_door_needs_a_token_an_open_one_does_not(client: Client) -> None:
    assert await status(client.get("/closed")) == 401
    assert await status(client.get("/closed", headers=bearer())) == 200
    assert await (await client.get("/open")).json() == {"who": None}
    assert await (await client.get("/open", headers=bearer())).json() == {"who": "user-1"}
    assert await status(client.get("/health")) == 200
    assert await status(client.get("/nowhere")) == 404
    assert await status(client.delete("/closed")) == 405


async def test_a_header_that_is_no_good_token_is_401(
    client: Client, subtests: pytest.Subtests
) -> None:
    for header in [
        "",
        "Bearer",
        "Bearer ",
        "Basic dXNlcjpwYXNz",
        "Bearer x",
        "Bearer a.b.c",
        "bearer\tx",
        "Bearer é.é.é",
        "Token x",
    ]:
        for path in ["/closed", "/open"]:
            with subtests.test(path=path, header=header):
                answer = await client.get(path, headers={"Authorization": header})
                assert answer.status == 401
                assert answer.headers["WWW-Authenticate"] == "Bearer"
                assert (await answer.json())["error"]["code"] == "UNAUTHORIZED"


async def test_the_log_lines_of_a_request_name_its_principal(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = io.BytesIO()
    monkeypatch.setattr(log, "_shortcut", log._Shortcut(log._Envelope("shop", "test"), 0, stream))
    await client.get("/closed", headers=bearer("user-7"))
    await client.get("/open")
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line.get("principal") for line in lines] == ["user-7", None]


async def test_nobody_gets_in_before_the_gates_are_open(aiohttp_client: AiohttpClient) -> None:
    middleware = MiddlewareStack(Settings(), CollectorRegistry())
    middleware.admit = not_yet
    app = web.Application(middlewares=[middleware.serve])
    app.add_routes([web.get("/open", open_door)])
    assert await status((await aiohttp_client(app)).get("/open")) == 503


@pytest.mark.parametrize(("seconds", "status_after"), [(60.0, 200), (0.0, 401)])
async def test_a_withdrawn_key_counts_until_the_minute_of_its_token_is_over(
    aiohttp_client: AiohttpClient,
    monkeypatch: pytest.MonkeyPatch,
    seconds: float,
    status_after: int,
) -> None:
    monkeypatch.setattr(tokens, "_CACHE_SECONDS", seconds)
    keys, token = StaticKeys([KEY]), bearer()
    client = await aiohttp_client(application(keys=keys))
    assert await status(client.get("/closed", headers=token)) == 200
    monkeypatch.setattr(keys, "_keys", {})
    assert await status(client.get("/closed", headers=token)) == status_after


async def test_two_authorization_headers_are_401(client: Client) -> None:
    good = bearer()["Authorization"]
    answer = await client.get("/closed", headers=[("Authorization", good)] * 2)
    assert answer.status == 401


async def test_guards_ask_for_permission_role_or_oneself(
    client: Client, subtests: pytest.Subtests
) -> None:
    for path, headers, expected in [
        ("/permission", bearer(may=("users:read", "users:write")), 200),
        ("/permission", bearer(may=("users:read",)), 403),
        ("/permission", bearer("user-1", Role.ADMIN), 403),
        ("/role", bearer("user-1", Role.STAFF, verified=True), 200),
        ("/role", bearer("user-1", Role.ADMIN), 403),
        ("/role", bearer("user-1", Role.CUSTOMER, verified=True), 403),
        ("/users/me", bearer(), 200),
        ("/users/user-1", bearer(), 200),
        ("/users/user-2", bearer(), 403),
        ("/users/user-2", bearer("user-1", Role.ADMIN), 200),
        ("/users/user-2", bearer("user-1", Role.MODERATOR), 403),
        ("/users/me", {}, 401),
    ]:
        with subtests.test(path=path):
            assert await status(client.get(path, headers=headers)) == expected


async def test_me_is_the_caller(client: Client) -> None:
    answer = await client.get("/users/me", headers=bearer("user-7"))
    assert await answer.json() == {"owner": "user-7"}


async def test_a_cookie_is_as_good_as_a_header_for_reading(client: Client) -> None:
    answer = await client.get("/closed", **browser())
    assert await answer.json() == {"who": "user-1", "by": "cookie"}


async def test_what_is_answered_to_somebody_is_kept_by_nobody(
    client: Client, subtests: pytest.Subtests
) -> None:
    """A cache, or the next user of the browser, must not get the response."""
    for path in ["/closed", "/open", "/users/me", "/role", "/nothing"]:
        with subtests.test(path=path):
            for who in ({"headers": bearer("user-7")}, browser()):
                answer = await client.get(path, **who)
                assert answer.headers.getall("Cache-Control") == ["private, no-store"], (
                    answer.status
                )
            assert "Cache-Control" not in (await client.get("/open")).headers, (
                "nobody's is nobody's"
            )


async def test_a_change_by_cookie_needs_the_csrf_token_of_its_session(
    aiohttp_client: AiohttpClient,
) -> None:
    async def post(request: dict[str, Any]) -> int:
        client = await aiohttp_client(application())
        return await status(client.post("/closed", **request))

    good = browser()
    token = good["cookies"][csrf.COOKIE]
    assert await post({**good, "headers": {csrf.HEADER: token}}) == 200
    assert await post(good) == 403
    assert await post({**good, "headers": {csrf.HEADER: "x.y"}}) == 403
    assert await post({**good, "headers": {csrf.HEADER: "é"}}) == 403
    # A token of another session, although cookie and header agree: planted by an attacker.
    other = browser("s-2")
    assert await post({**other, "headers": {csrf.HEADER: other["cookies"][csrf.COOKIE]}}) == 403
    # The same for one without any secret in it.
    fake = {**good, "cookies": {**good["cookies"], csrf.COOKIE: "a.b"}}
    assert await post({**fake, "headers": {csrf.HEADER: "a.b"}}) == 403


async def test_a_bearer_needs_no_csrf_token_also_beside_a_cookie(client: Client) -> None:
    answer = await client.post("/closed", cookies=browser()["cookies"], headers=bearer())
    assert answer.status == 200


async def test_a_session_that_a_sibling_domain_could_plant_is_none(client: Client) -> None:
    """A page on another host of the domain can set cookies without a prefix for the domain."""
    planted = {"access_token": browser()["cookies"][cookies.ACCESS]}
    assert await status(client.get("/closed", cookies=planted)) == 401


async def test_an_old_cookie_does_not_lock_the_sign_in_page(client: Client) -> None:
    old = ISSUE.issue("user-1", [], [], ttl=timedelta(minutes=-5)).token
    assert await status(client.post("/open", cookies={cookies.ACCESS: old})) == 200
    assert await status(client.get("/closed", cookies={cookies.ACCESS: old})) == 401


def test_the_cookies_of_a_session_are_as_strict_as_they_can_be() -> None:
    response = web.Response()
    ttl = timedelta(minutes=15)
    cookies.set_session(
        response, access="a", access_ttl=ttl, refresh="r", refresh_ttl=ttl * 2, csrf_token="c"
    )
    for name in (cookies.ACCESS, cookies.REFRESH, csrf.COOKIE):
        morsel = response.cookies[name]
        assert (morsel["path"], morsel["secure"], morsel["samesite"]) == ("/", True, "Lax")
        assert bool(morsel["httponly"]) is (name != csrf.COOKIE)
        # A browser refuses such a name with a domain, without Secure, or for a part of the host.
        assert name.startswith("__Host-")
        assert not morsel["domain"]
    assert response.cookies[cookies.ACCESS]["max-age"] == "900"
    cookies.clear_session(response)
    assert all(morsel["max-age"] in ("0", 0) for morsel in response.cookies.values())


async def test_a_client_that_asks_too_often_is_told_when_to_come_back(
    aiohttp_client: AiohttpClient,
) -> None:
    client = await aiohttp_client(application(TokenBucket(rate=0.1, burst=3)))
    answers = [await client.get("/open") for _ in range(5)]
    assert [answer.status for answer in answers] == [200, 200, 200, 429, 429]
    assert answers[0].headers["RateLimit-Limit"] == "3"
    assert answers[0].headers["RateLimit-Remaining"] == "2"
    assert answers[3].headers["Retry-After"] == "10"
    assert (await answers[3].json())["error"]["code"] == "RATE_LIMIT_EXCEEDED"
    assert [await status(client.get(path)) for path in ("/health", "/metrics")] == [200, 200]
    # Refused before the token is looked at.
    assert await status(client.get("/closed")) == 429


async def _three_hundred_at_once(client: Client, headers: dict[str, str]) -> Counter[int]:
    calls = [client.get("/open", headers=headers) for _ in range(300)]
    return Counter([await status(call) for call in asyncio.as_completed(calls)])


async def test_a_service_asks_for_all_its_users_and_is_not_limited_by_its_address(
    aiohttp_client: AiohttpClient,
) -> None:
    client = await aiohttp_client(application(TokenBucket(rate=0.1, burst=200)))
    token = bearer("order", Role.SERVICE)
    assert await _three_hundred_at_once(client, token) == {200: 300}
    # Nor does it use up what others at its address may ask.
    assert await status(client.get("/open")) == 200


@pytest.mark.parametrize(
    ("headers", "let_through"),
    [
        ({}, 200),
        (bearer("user-1", Role.CUSTOMER), 200),
        ({"Authorization": "Bearer a.b.c"}, 401),
        ({"Authorization": f"{bearer('order', Role.SERVICE)['Authorization']}x"}, 401),
        ({"Authorization": "Basic dXNlcjpwYXNz"}, 401),
    ],
)
async def test_whoever_is_not_a_service_is_limited_by_address(
    aiohttp_client: AiohttpClient, headers: dict[str, str], let_through: int
) -> None:
    client = await aiohttp_client(application(TokenBucket(rate=0.01, burst=200)))
    assert await status(client.get("/open", headers=bearer("order", Role.SERVICE))) == 200
    assert await _three_hundred_at_once(client, headers) == {let_through: 199, 429: 101}


async def test_two_headers_are_counted_also_where_one_is_a_service_s(
    aiohttp_client: AiohttpClient,
) -> None:
    client = await aiohttp_client(application(TokenBucket(rate=0.01, burst=3)))
    good = bearer("order", Role.SERVICE)
    assert await status(client.get("/open", headers=good)) == 200
    twice = [("Authorization", good["Authorization"])] * 2
    found = [await status(client.get("/open", headers=twice)) for _ in range(3)]
    assert found == [401, 401, 429]
    assert await status(client.get("/open", headers=good)) == 200


async def test_the_forwarded_address_is_counted_only_from_a_trusted_peer(
    aiohttp_client: AiohttpClient,
) -> None:
    one = TokenBucket(rate=0.1, burst=1)

    async def two(client: Client) -> list[int]:
        hops = [{"X-Forwarded-For": address} for address in ("203.0.113.1", "203.0.113.2")]
        return [await status(client.get("/open", headers=headers)) for headers in hops]

    trusting = await aiohttp_client(application(one, proxies=TrustedProxies(["127.0.0.1"])))
    assert await two(trusting) == [200, 200]
    strict = await aiohttp_client(application(one))
    assert await two(strict) == [200, 429]


async def test_each_user_has_a_window_of_their_own(aiohttp_client: AiohttpClient) -> None:
    client = await aiohttp_client(application(per_user=Window(2, 3600)))
    first = [await client.get("/closed", headers=bearer("user-1")) for _ in range(3)]
    assert [answer.status for answer in first] == [200, 200, 429]
    assert first[0].headers["RateLimit-Limit"] == "2"
    assert await status(client.get("/closed", headers=bearer("user-2"))) == 200
