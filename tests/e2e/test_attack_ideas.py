"""Ideas for attacks on the running platform; docs/attacks.md lists them with their outcomes."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from tests.e2e.conftest import Stack

HAMMER = "01890000-0000-7000-8000-000000000a02"
LISTS = (
    "orders/v1/orders",
    "orders/v1/service-orders",
    "orders/v1/jobs",
    "products/v1/products",
    "catalogs/v1/services",
    "departments/v1/departments",
)
# What asks for a page that there cannot be, or for more than one.
PAGES = (
    "page=0", "page=-1", "page=999999999999999999999", "page=1&page_size=0", "page_size=101",
    "page=9223372036854775807", "page=1.5", "page_size=100&page=1001", "page=1&page=2",
    "page=%00", "page_size=true", "order_by=id;drop", "sort=ASC,",
)  # fmt: skip
# A service's name for its caller, an address behind the gateway's, another method, another client.
CLAIMS = {
    "X-User-Id": "01890000-0000-7000-8000-000000000001",
    "X-Forwarded-User": "admin",
    "X-Role": "ADMIN",
    "X-Original-URL": "/api/v1/users",
    "X-Rewrite-URL": "/metrics",
    "X-HTTP-Method-Override": "DELETE",
    "X-Forwarded-For": "127.0.0.1",
    "X-Real-IP": "127.0.0.1",
    "Forwarded": "for=127.0.0.1;host=inside",
    "X-Forwarded-Prefix": "//elsewhere.example",
}
INSIDE = (
    "/metrics", "/livez", "/readyz", "/health", "/status", "/debug/pprof", "/.git/config",
    "/openapi.json", "/errors/400",
    "/api/users/v1/../../../metrics", "/api/users/v1/%2e%2e/%2e%2e/metrics",
    "/api/users/v1/..%2f..%2fmetrics", "/api/users/v1//metrics", "/api/users/v1/..;/metrics",
    "/api/users/v1/auth/token", "/api/users/v1/auth%2ftoken", "/api/users/v1//auth/token",
    "/api/users/v1/./auth/token", "/api/products/v1/reservations",
    "/api/products/v1//reservations", "/api/products/v1/%72eservations",
    "/docs/specs/../../../etc/passwd", "/docs/assets/..%2f..%2f..%2fetc/passwd",
    "/docs/specs../x", "/pages../x",
)  # fmt: skip
QUANTITIES = (
    "0", "-1", "1e3", "1.0", "99999999999999999999", "2147483648", "NaN", "Infinity", "true",
    '"1"', "null",
)  # fmt: skip
BODIES = {
    "lists without end": "[" * 100_000,
    "objects in objects": '{"a":' * 5000 + "1" + "}" * 5000,
    "half a character": '{"lines": "\\ud800"}',
    "a mark before it": "\ufeff{}",
    "a NUL": '{"lines": "\\u0000"}',
    "a number of 10,000 digits": "1" * 10_000,
    "an unknown name": '{"__proto__": {"role": "ADMIN"}}',
}


@pytest.fixture
async def http(stack: Stack) -> AsyncIterator[aiohttp.ClientSession]:
    jar = aiohttp.DummyCookieJar()
    async with aiohttp.ClientSession(f"{stack.url}/api/", cookie_jar=jar) as session:
        yield session


async def ask(
    http: aiohttp.ClientSession, method: str, path: str, **options: Any
) -> tuple[int, Any]:
    async with http.request(method, path, allow_redirects=False, **options) as answer:
        return answer.status, await answer.json(content_type=None)


async def test_a_claim_in_a_header_makes_nobody_a_user(http: aiohttp.ClientSession) -> None:
    for name, value in CLAIMS.items():
        status, body = await ask(http, "GET", "users/v1/users", headers={name: value})
        assert (status, body["error"]["code"]) == (401, "UNAUTHORIZED"), name


async def test_a_claim_in_a_header_changes_no_method_and_no_address(
    stack: Stack, http: aiohttp.ClientSession
) -> None:
    path = f"products/v1/products/{HAMMER}"
    for name, value in CLAIMS.items():
        headers = {**stack.authorized(), name: value, "If-Match": "*"}
        status, body = await ask(http, "GET", path, headers=headers)
        assert (status, body["data"]["name"]) == (200, "Claw hammer"), name


async def test_no_spelling_of_an_address_reaches_what_is_inside(stack: Stack) -> None:
    token = stack.authorized()["Authorization"]
    for path in INSIDE:
        for method in ("GET", "POST"):
            reader, writer = await asyncio.open_connection("127.0.0.1", stack.port("GATEWAY_PORT"))
            # Written by hand: a client would tidy the address.
            head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n"
            writer.write(f"{head}Content-Length: 0\r\nConnection: close\r\n\r\n".encode())
            answer = await asyncio.wait_for(reader.read(), 30)
            writer.close()
            assert int(answer.split()[1]) in (400, 404, 405), (method, path)
            assert b'"success":false' in answer, (method, path)


async def test_no_change_of_a_token_is_accepted(stack: Stack, http: aiohttp.ClientSession) -> None:
    good = stack.authorized()["Authorization"].removeprefix("Bearer ")
    head, claims, signature = good.split(".")

    def headed(**more: object) -> str:
        known = json.loads(base64.urlsafe_b64decode(head + "==="))
        text = json.dumps({**known, **more}).encode()
        return base64.urlsafe_b64encode(text).rstrip(b"=").decode()

    forged = {
        "no algorithm": f"{headed(alg='none')}.{claims}.",
        "a symmetric algorithm": f"{headed(alg='HS256')}.{claims}.{signature}",
        "a key of the disk": f"{headed(kid='../../dev/null')}.{claims}.{signature}",
        "a key of its own": f"{headed(jwk={'kty': 'OKP'})}.{claims}.{signature}",
        "a key from elsewhere": f"{headed(jku='http://127.0.0.1:1/')}.{claims}.{signature}",
        "a critical extension": f"{headed(crit=['exp'])}.{claims}.{signature}",
        "no signature": f"{head}.{claims}.",
        "a part more": f"{good}.{signature}",
        "padding": f"{good}=",
        "two": f"{good},{good}",
        "all lower": good.lower(),
        "much": "A" * 7000,
    }
    for name, token in forged.items():
        headers = {"Authorization": f"Bearer {token}"}
        assert (await ask(http, "GET", "users/v1/users/me", headers=headers))[0] == 401, name
    for path in (f"users/v1/users/me?access_token={good}", f"users/v1/users/me?token={good}"):
        assert (await ask(http, "GET", path))[0] == 401


async def test_no_page_and_no_order_beyond_what_is_documented(
    stack: Stack, http: aiohttp.ClientSession
) -> None:
    for path in LISTS:
        for query in PAGES:
            where = aiohttp.client.URL(f"{path}?{query}", encoded=True)
            status, body = await ask(http, "GET", where, headers=stack.authorized())
            assert (status, body["error"]["code"]) == (400, "VALIDATION_ERROR"), (path, query)


async def test_no_quantity_that_is_none_is_ordered(
    stack: Stack, http: aiohttp.ClientSession
) -> None:
    headers = {**stack.authorized(), "Content-Type": "application/json"}
    for quantity in QUANTITIES:
        body = f'{{"lines":[{{"product_id":"{HAMMER}","quantity":{quantity}}}]}}'
        status, _ = await ask(http, "POST", "orders/v1/orders", headers=headers, data=body)
        assert status == 400, quantity


async def test_no_odd_body_is_a_failure_of_the_service(
    stack: Stack, http: aiohttp.ClientSession
) -> None:
    headers = {**stack.authorized(), "Content-Type": "application/json"}
    for name, text in BODIES.items():
        data = text.encode()
        for path in ("orders/v1/orders", "users/v1/auth/login", "departments/v1/departments"):
            status, body = await ask(http, "POST", path, headers=headers, data=data)
            assert (status, body["success"]) == (400, False), (name, path)


async def test_no_odd_version_matches_the_present_one(
    stack: Stack, http: aiohttp.ClientSession
) -> None:
    path = f"products/v1/products/{HAMMER}"
    async with http.get(path) as answer:
        tag = answer.headers["ETag"]
    bare = tag.strip('"')
    odd = (
        bare, f"W/{tag}", f'{tag},"0"', f'"-{bare}"', f'"0x{bare}"', f'"+{bare}"', f'"0{bare}"',
        f"{tag}x", f'"{bare}.0"', '"99999999999999999999"', '"١"', '""', "",
    )  # fmt: skip
    for version in odd:
        headers = {**stack.authorized(), "If-Match": version}
        status, body = await ask(http, "PATCH", path, headers=headers, json={"name": "Taken over"})
        assert (status, body["error"]["code"]) == (412, "PRECONDITION_FAILED"), version


async def test_of_two_fields_with_one_name_the_last_counts_for_every_reader(
    stack: Stack, http: aiohttp.ClientSession
) -> None:
    """Only the service reads the body, so no check sees another value than the code behind it."""
    headers = {**stack.authorized(), "Content-Type": "application/json"}
    name = "A department with two names"
    body = f'{{"name": "x", "name": "{name}"}}'
    status, made = await ask(http, "POST", "departments/v1/departments", headers=headers, data=body)
    assert (status, made["data"]["name"]) == (201, name)
    status, _ = await ask(
        http, "POST", "departments/v1/departments", headers=headers, data=json.dumps({"name": name})
    )
    assert status == 409
    path = f"departments/v1/departments/{made['data']['id']}"
    async with http.delete(path, headers=stack.authorized()) as gone:
        assert gone.status == 204


async def test_signing_in_and_mails_say_the_same_of_every_address(
    http: aiohttp.ClientSession,
) -> None:
    for path in ("users/v1/auth/password/forgot", "users/v1/auth/resend-verification"):
        answers = []
        for address in ("admin@example.com", "nobody.at.all@example.com"):
            async with http.post(path, json={"email": address}) as answer:
                answers.append((answer.status, await answer.read()))
        assert answers == [(204, b"")] * 2, path
    told = []
    for address in ("admin@example.com", "nobody.at.all@example.com"):
        wrong = {"email": address, "password": "Not-this-1-for-sure"}
        status, body = await ask(http, "POST", "users/v1/auth/login", json=wrong)
        told.append((status, body["error"]["code"], body["error"]["message"]))
    assert told[0] == told[1]
