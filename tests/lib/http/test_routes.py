"""Routes: declared once, guarded by their declarations, and refused if they cannot be served."""

from __future__ import annotations

from functools import wraps
from typing import Annotated, Any
from uuid import UUID

import pytest
from aiohttp import web
from aiohttp.typedefs import Handler
from pytest_aiohttp.plugin import AiohttpClient

from lib.errors import AppError, Code
from lib.http import respond
from lib.http.errors import to_response
from lib.http.respond import Answer
from lib.http.routes import PUBLIC, From, Id, Routes
from lib.resource.input import Input, Query


class Wanted(Query, frozen=True, kw_only=True):
    page: int = 1


class Note(Input, frozen=True, kw_only=True):
    text: str


def _guarded(handler: Handler) -> Handler:
    @wraps(handler)
    async def checked(request: web.Request) -> web.StreamResponse:
        raise AppError(Code.FORBIDDEN, "not you")

    return checked


above, below, plain = Routes("above"), Routes("below"), Routes("plain")


@_guarded
@above("GET /above", "A guard that is never asked", access=PUBLIC)
async def guarded_above(request: web.Request) -> Answer[str]:
    return respond.ok("let through")


@below("GET /below", "A guard that is asked", access=PUBLIC)
@_guarded
async def guarded_below(request: web.Request) -> Answer[str]:
    return respond.ok("let through")


@plain("PUT /notes/{id}/{name}", "Everything that a handler takes", access=PUBLIC)
async def put_note(
    name: str, wanted: Wanted, note_id: Id, new: Note, request: web.Request
) -> Answer[list[Any]]:
    return respond.ok([name, wanted.page, note_id, new.text, request.method])


def test_a_guard_above_a_route_is_refused_before_anything_is_served() -> None:
    with pytest.raises(TypeError, match="guarded_above: decorators above the route"):
        web.Application().add_routes(above)


async def test_a_guard_below_a_route_is_asked(aiohttp_client: AiohttpClient) -> None:
    app = web.Application(middlewares=[_errors])
    app.add_routes(below)
    client = await aiohttp_client(app)
    assert (await client.get("/below")).status == 403


async def test_arguments_are_made_in_the_order_of_the_signature(
    aiohttp_client: AiohttpClient,
) -> None:
    app = web.Application(middlewares=[_errors])
    app.add_routes(plain)
    client = await aiohttp_client(app)
    known = UUID(int=7)
    response = await client.put(f"/notes/{known}/first?page=3", json={"text": "hello"})
    assert (await response.json())["data"] == ["first", 3, str(known), "hello", "PUT"]

    async def at_fault(path: str, body: object) -> str:
        answer = await (await client.put(path, json=body)).json()
        return str(answer["error"]["details"][0]["field"])

    assert await at_fault("/notes/x/first?page=x", {}) == "page"
    assert await at_fault("/notes/x/first", {}) == "id"
    assert await at_fault(f"/notes/{known}/first", {}) == "text"


def test_an_argument_that_no_request_has_is_refused() -> None:
    async def handler(moon: float) -> Answer[None]: ...

    with pytest.raises(TypeError, match="moon: cannot build"):
        Routes("t")("GET /moon", "The moon", access=PUBLIC)(handler)


def test_a_variable_of_the_path_that_nobody_takes_is_refused() -> None:
    async def handler(thing: Annotated[str, From(str, path={"other": str})]) -> Answer[None]: ...

    with pytest.raises(TypeError, match=r"GET /things/\{id\}"):
        Routes("t")("GET /things/{id}", "A thing", access=PUBLIC)(handler)


@web.middleware
async def _errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except AppError as error:
        return to_response(error)
