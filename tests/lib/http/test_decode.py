"""Requests become values, or an error that names the problem of every field."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from lib.config import Settings
from lib.http import decode, respond
from lib.http.app import new_app
from lib.resource.input import Input
from lib.resource.lists import ListQuery

JSON = {"Content-Type": "application/json"}


class Line(Input, frozen=True, kw_only=True):
    product: UUID
    quantity: Annotated[int, msgspec.Meta(ge=1)]


class Order(Input, frozen=True, kw_only=True):
    title: Annotated[
        str, msgspec.Meta(pattern=r"\S", max_length=10, extra={"message": "must not be blank"})
    ]
    lines: list[Line]
    note: str | None = None


class Key(StrEnum):
    NAME = "name"
    AGE = "age"


class Wanted(ListQuery, frozen=True, kw_only=True):
    order_by: Key = Key.NAME
    search: str | None = None
    owner: UUID | None = None
    status: str = "on"
    tag: tuple[str, ...] = ()


async def take_body(request: web.Request) -> web.Response:
    return respond.ok(await decode.body(request, Order))


async def take_query(request: web.Request) -> web.Response:
    return respond.ok(decode.query(request, Wanted))


async def take_id(request: web.Request) -> web.Response:
    return respond.ok(decode.path_uuid(request))


@pytest.fixture
async def client():
    routes = [
        web.post("/orders", take_body),
        web.get("/orders", take_query),
        web.get("/orders/{id}", take_id),
    ]
    app = new_app("shop", Settings(max_body_bytes=2000), routes)
    async with TestClient(TestServer(app)) as client:
        yield client


def order(**changes: object) -> dict[str, object]:
    line = {"product": "01890000-0000-7000-8000-000000000001", "quantity": 2}
    return {"title": "t", "lines": [line]} | changes


async def problems(response) -> dict[str, str]:
    error = (await response.json())["error"]
    return {detail["field"]: detail["message"] for detail in error.get("details", ())}


@pytest.mark.parametrize(("page", "status"), [(1000, 200), (1001, 400)])
async def test_no_page_has_the_database_walk_over_more_than_100_000_rows(
    client, page, status
) -> None:
    response = await client.get("/orders", params={"page": page, "page_size": 100})
    assert response.status == status
    if status == 400:
        assert await problems(response) == {"page": "must be at most 1000"}


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"title": "is required", "lines": "is required"}),
        (order(title="  "), {"title": "must not be blank"}),
        (order(title="x" * 11), {"title": "must have at most 10 characters"}),
        (order(titel="x", note=3), {
            "note": "must be text or null", "titel": "is not known",
        }),
        (order(lines=[{"quantity": 0}, 7]), {
            "lines[0].product": "is required",
            "lines[0].quantity": "must be at least 1",
            "lines[1]": "must be an object",
        }),
        ([], {"body": "must be an object"}),
    ],
)  # fmt: skip
async def test_every_field_at_fault_is_named(client, body, fields) -> None:
    response = await client.post("/orders", json=body)
    assert response.status == 400
    assert await problems(response) == fields


@pytest.mark.parametrize(
    ("data", "headers", "status", "code"),
    [
        (b"", JSON, 400, "BAD_REQUEST"),
        (b"{", JSON, 400, "BAD_REQUEST"),
        (b'{"title":"\xff"}', JSON, 400, "BAD_REQUEST"),
        (b"4\xf5W", JSON, 400, "BAD_REQUEST"),
        (b'{"title":"a\\u0000b","lines":[]}', JSON, 400, "BAD_REQUEST"),
        (b'{"title":' + b"[" * 1900, JSON, 400, "BAD_REQUEST"),
        (b"{}", {"Content-Type": "text/plain"}, 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b'{"title":"' + b"x" * 3000 + b'"}', JSON, 413, "PAYLOAD_TOO_LARGE"),
    ],
)
async def test_a_body_that_is_no_acceptable_json_is_refused(client, data, headers, status, code):
    response = await client.post("/orders", data=data, headers=headers)
    assert response.status == status
    assert (await response.json())["error"]["code"] == code


@pytest.mark.parametrize(
    "body", [{f"{n}": 0 for n in range(200)}, order(lines=[7] * 500)], ids=["fields", "a list"]
)
async def test_of_very_much_that_is_wrong_some_is_told(client, body) -> None:
    assert len(await problems(await client.post("/orders", json=body))) <= 102


async def test_a_json_body_may_say_its_charset_or_a_json_suffix(client) -> None:
    for kind in ("application/json; charset=utf-8", "application/merge-patch+json"):
        body = msgspec.json.encode(order())
        response = await client.post("/orders", data=body, headers={"Content-Type": kind})
        assert response.status == 200


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {"page": 1, "page_size": 20, "sort": "asc", "order_by": "name", "search": None}),
        ("page=3&page_size=100&sort=desc", {"page": 3, "page_size": 100, "sort": "desc"}),
        ("search=null", {"search": "null"}),
        ("search=&page=", {"search": None, "page": 1}),
        ("tag=a&tag=b", {"tag": ["a", "b"]}),
        ("colour=5", {"page": 1}),
    ],
)
async def test_parameters_become_typed_fields(client, query, expected) -> None:
    response = await client.get(f"/orders?{query}")
    data = (await response.json())["data"]
    assert {key: data[key] for key in expected} == expected


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("page=0&page_size=101&sort=up", {"page", "page_size", "sort"}),
        ("order_by=name;select pg_sleep(5)", {"order_by"}),
        ("page=one", {"page"}),
        ("page=1&page=2", {"page"}),
        ("search=a%00b", {"search"}),
        # Not the same as leaving it out: a list that was not narrowed would be shown.
        ("owner=NULL&search=null", {"owner"}),
    ],
)
async def test_every_parameter_at_fault_is_named(client, query, fields) -> None:
    response = await client.get(f"/orders?{query}")
    assert response.status == 400
    assert set(await problems(response)) == fields


async def test_an_id_that_is_no_uuid_is_a_validation_error(client) -> None:
    response = await client.get("/orders/17")
    assert response.status == 400
    assert await problems(response) == {"id": "is not a UUID"}


@pytest.mark.parametrize(
    ("query", "field", "name"),
    [
        ("limit=5", "limit", "page_size"),
        ("per_page=5", "per_page", "page_size"),
        ("orderby=name", "orderby", "order_by"),
        ("page=1&offset=20", "offset", "page"),
        ("active=true", "active", "status"),
    ],
)
async def test_what_older_systems_call_otherwise_is_refused_by_its_name_here(
    client, query, field, name
) -> None:
    response = await client.get(f"/orders?{query}")
    assert response.status == 400
    assert await problems(response) == {field: f"is called {name} here"}
