"""The middleware around handlers: IDs, recovery, log, metrics, CORS, deadline, envelopes."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from structlog.testing import capture_logs

from devstack.testing.wait import DEADLINE
from lib import context
from lib.config import Settings
from lib.errors import AppError, Code, FieldError
from lib.http import respond
from lib.http.app import HEALTH, METRICS, MIDDLEWARE, new_app
from lib.http.status import STATUS
from lib.limits.client_address import TrustedProxies
from lib.resilience.deadline import HEADER

ORIGIN = "https://shop.example"
started, cancelled = asyncio.Event(), asyncio.Event()


async def fine(request: web.Request) -> web.Response:
    return respond.ok({"id": request.match_info.get("id"), "request_id": context.request_id.get()})


async def refuse(request: web.Request) -> web.Response:
    code = Code(request.match_info["code"])
    raise AppError(code, "no", details=(FieldError("a", "b"),), headers={"Retry-After": "7"})


async def explode(_: web.Request) -> web.Response:
    raise RuntimeError("the password is hunter2")


async def sleep(_: web.Request) -> web.Response:
    started.set()
    try:
        await asyncio.sleep(3600)
    except asyncio.CancelledError:
        cancelled.set()
        raise
    return respond.no_content()


async def go_on(_: web.Request) -> web.Response:
    with suppress(asyncio.CancelledError):
        await asyncio.sleep(3600)
    cancelled.set()
    await asyncio.sleep(3600)
    return respond.no_content()


async def redirect(_: web.Request) -> web.Response:
    raise web.HTTPFound("/things/1")


ROUTES = [
    web.get("/things/{id}", fine),
    web.get("/refuse/{code}", refuse),
    web.get("/explode", explode),
    web.get("/sleep", sleep),
    web.get("/go-on", go_on),
    web.get("/redirect", redirect),
]


@pytest.fixture
async def client():
    settings = Settings(request_seconds=60, cors_origins=(ORIGIN,))
    started.clear()
    cancelled.clear()
    server = TestServer(new_app("shop", settings, ROUTES))
    async with TestClient(server) as client:
        yield client


async def error_of(response) -> dict[str, object]:
    body = await response.json()
    assert body["success"] is False
    return body["error"]


def sample(client: TestClient, name: str, **labels: str) -> float | None:
    return client.app[METRICS].get_sample_value(name, labels)


async def test_a_safe_request_id_is_kept_and_echoed(client) -> None:
    response = await client.get("/things/1", headers={"X-Request-ID": "caller-id.42"})
    assert response.headers["X-Request-ID"] == "caller-id.42"
    assert (await response.json())["data"]["request_id"] == "caller-id.42"


@pytest.mark.parametrize("bad", ["short", "x" * 65, "two words", "ünïcode-id", "<script>12"])
async def test_an_unsafe_request_id_is_replaced(client, bad) -> None:
    response = await client.get("/things/1", headers={"X-Request-ID": bad})
    assert re.fullmatch(r"[0-9a-f-]{36}", response.headers["X-Request-ID"])


@pytest.mark.parametrize("code", list(Code))
async def test_each_code_has_its_status_and_arrives_in_the_envelope(client, code) -> None:
    response = await client.get(f"/refuse/{code}")
    assert response.status == STATUS[code]
    assert response.headers["Retry-After"] == "7"
    assert await error_of(response) == {
        "code": code,
        "message": "no",
        "request_id": response.headers["X-Request-ID"],
        "details": [{"field": "a", "message": "b"}],
    }


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "NOT_FOUND"),
        ("DELETE", "/things/1", 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/sleep", 504, "DEADLINE_EXCEEDED"),
        ("GET", "/explode", 500, "INTERNAL_ERROR"),
    ],
)
async def test_every_failure_is_in_the_envelope_and_counted(
    client, method, path, status, code
) -> None:
    hurry = {HEADER: "200"} if status == 504 else {}
    response = await client.request(method, path, headers=hurry)
    assert response.status == status
    assert (await error_of(response))["code"] == code
    route = path if status >= 500 else "other"
    assert sample(
        client, "http_requests_total", method=method, route=route, status=str(status)
    ) == 1.0  # fmt: skip


async def test_a_request_whose_caller_waits_no_longer_is_not_started(client) -> None:
    with capture_logs() as lines:
        response = await client.get("/sleep", headers={HEADER: "0"})
    assert (response.status, started.is_set()) == (504, False)
    assert [line["code"] for line in lines] == ["DEADLINE_EXCEEDED"]


async def test_a_handler_that_survives_the_callers_deadline_is_cancelled_at_the_servers() -> None:
    cancelled.clear()
    app = new_app("shop", Settings(request_seconds=0.2), ROUTES)
    async with TestClient(TestServer(app)) as client:
        with capture_logs() as lines:
            response = await client.get("/go-on", headers={HEADER: "20"})
        assert (response.status, cancelled.is_set()) == (504, True)
        assert [line["error"] for line in lines] == ["TimeoutError"]
        assert sample(client, "http_requests_in_progress") == 0.0


async def test_an_unexpected_exception_is_opaque_outside_and_whole_in_the_log(client) -> None:
    with capture_logs() as lines:
        response = await client.get("/explode")
    assert "hunter2" not in await response.text()
    (cause,) = [line for line in lines if line["event"] == "unhandled_exception"]
    assert "hunter2" in repr(cause["exc_info"])


async def test_each_request_leaves_one_canonical_line(client) -> None:
    with capture_logs() as lines:
        await client.get("/things/7?secret=1")
        await client.get("/nowhere")
    seen = [(x["log_level"], x["route"], x["path"], x["status"]) for x in lines]
    assert seen == [
        ("info", "/things/{id}", "/things/7", 200),
        ("warning", "other", "/nowhere", 404),
    ]


@pytest.mark.parametrize(
    ("proxies", "forwarded", "logged"),
    [
        (["127.0.0.1"], "203.0.113.9, 198.51.100.7", "198.51.100.7"),
        (["127.0.0.1", "198.51.100.0/24"], "203.0.113.9, 198.51.100.7", "203.0.113.9"),
        (["127.0.0.1"], None, "127.0.0.1"),
        ([], "203.0.113.9", "127.0.0.1"),
    ],
)
async def test_the_line_names_the_client_that_trusted_proxies_report(
    client, proxies, forwarded, logged
) -> None:
    client.app[MIDDLEWARE].proxies = TrustedProxies(proxies)
    with capture_logs() as lines:
        await client.get("/things/7", headers={"X-Forwarded-For": forwarded} if forwarded else {})
    assert [line["client_ip"] for line in lines] == [logged]


@pytest.mark.parametrize("origin", [{}, {"Origin": ORIGIN}])
async def test_the_line_says_why_a_request_failed_also_to_a_browser(client, origin) -> None:
    with capture_logs() as lines:
        await client.get("/refuse/CONFLICT", headers=origin)
    assert [(line["code"], line["error"]) for line in lines] == [("CONFLICT", "no")]


async def test_a_probe_is_not_worth_a_line(client) -> None:
    with capture_logs() as lines:
        await client.get("/livez")
    assert [line["log_level"] for line in lines] == ["debug"]


async def test_a_disconnected_client_cancels_its_request(client) -> None:
    asking = asyncio.ensure_future(client.get("/sleep"))
    async with asyncio.timeout(DEADLINE):
        await started.wait()
        asking.cancel()
        await cancelled.wait()


async def test_requests_are_counted_by_route_template_not_by_path(client) -> None:
    for number in range(3):
        await client.get(f"/things/{number}")
    labels = {"method": "GET", "route": "/things/{id}"}
    assert sample(client, "http_requests_total", status="200", **labels) == 3.0
    assert sample(client, "http_request_duration_seconds_count", **labels) == 3.0
    assert sample(client, "http_requests_in_progress") == 0.0


async def test_an_unknown_method_does_not_become_a_label(client) -> None:
    await client.request("PROPFIND", "/things/1")
    assert sample(client, "http_requests_total", method="other", route="other", status="405") == 1.0


async def test_a_configured_origin_may_read_answers_and_errors(client) -> None:
    for path in ("/things/1", "/explode", "/nowhere"):
        response = await client.get(path, headers={"Origin": ORIGIN})
        assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert response.headers["Access-Control-Allow-Credentials"] == "true"
        assert response.headers["Vary"] == "Origin"


async def test_where_every_origin_may_ask_none_does_so_with_cookies() -> None:
    settings = Settings(cors_origins=("*", ORIGIN))
    async with TestClient(TestServer(new_app("shop", settings, ROUTES))) as client:
        for origin, cookies in ((ORIGIN, "true"), ("https://evil.example", None)):
            response = await client.get("/things/1", headers={"Origin": origin})
            assert response.headers["Access-Control-Allow-Origin"] == (origin if cookies else "*")
            assert response.headers.get("Access-Control-Allow-Credentials") == cookies


async def test_another_origin_gets_no_permission(client) -> None:
    response = await client.get("/things/1", headers={"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in response.headers


async def test_a_preflight_is_answered_without_the_handler(client) -> None:
    response = await client.options(
        "/things/1", headers={"Origin": ORIGIN, "Access-Control-Request-Method": "PATCH"}
    )
    assert response.status == 204
    assert "PATCH" in response.headers["Access-Control-Allow-Methods"]
    # What clients of the older systems send.
    older = (
        "Accept Accept-Encoding Authorization Cache-Control Content-Length Content-Type "
        "Idempotency-Key Origin X-CSRF-Token X-Request-ID X-Requested-With"
    )
    assert set(older.split()) < set(response.headers["Access-Control-Allow-Headers"].split(", "))
    assert response.headers["Access-Control-Max-Age"] == "300"


async def test_a_redirect_stays_a_redirect(client) -> None:
    response = await client.get("/redirect", allow_redirects=False)
    assert (response.status, response.headers["Location"]) == (302, "/things/1")


async def test_readiness_names_what_failed(client) -> None:
    async def broken() -> None:
        raise ConnectionError("refused")

    async def works() -> None: ...

    client.app[HEALTH].add("database", broken)
    client.app[HEALTH].add("point", works)
    response = await client.get("/readyz")
    assert response.status == 503
    assert (await response.json())["checks"] == {"database": "unavailable", "point": "ok"}


async def test_metrics_show_the_process_and_the_build(client) -> None:
    text = await (await client.get("/metrics")).text()
    for name in ("process_cpu_seconds_total", "app_build_info", "event_loop_lag_seconds_bucket"):
        assert name in text


async def test_an_internal_port_takes_health_and_metrics_off_the_public_one() -> None:
    app = new_app("shop", Settings(internal_port=0), ROUTES)
    async with TestClient(TestServer(app)) as client:
        assert (await client.get("/metrics")).status == 404
        assert (await client.get("/things/1")).status == 200
