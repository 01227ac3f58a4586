"""Calls between services: deadlines, ids and errors survive the way."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from lib import context
from lib.config import Settings
from lib.errors import AppError, Code, FieldError, invalid
from lib.http import respond
from lib.http.app import new_app
from lib.http.client import open_client
from lib.resilience import RetryPolicy, Upstream


class Thing(msgspec.Struct):
    id: int
    seen: str = ""


async def thing(_: web.Request) -> web.Response:
    return respond.ok(Thing(1, context.request_id.get()))


async def refuse(_: web.Request) -> web.Response:
    raise invalid(FieldError("name", "is required"))


async def slow(_: web.Request) -> web.Response:
    await asyncio.sleep(30)
    return respond.no_content()


async def nonsense(_: web.Request) -> web.Response:
    return web.Response(text="<html>", status=502)


@pytest.fixture
async def client():
    routes = [web.get(f"/{f.__name__}", f) for f in (thing, refuse, slow, nonsense)]
    server = TestServer(new_app("things", Settings(), routes))
    await server.start_server()
    once = Upstream("things", retry=RetryPolicy(attempts=1))
    async with open_client(once, str(server.make_url("/")), seconds=0.3) as client:
        yield client
    await server.close()


async def test_the_data_of_an_answer_is_decoded(client) -> None:
    assert (await client.call("GET", "/thing", Thing)).id == 1


async def test_the_request_id_travels_along(client) -> None:
    context.request_id.set("request-17")
    assert (await client.call("GET", "/thing", Thing)).seen == "request-17"


async def test_an_error_arrives_as_the_error_it_was(client) -> None:
    with pytest.raises(AppError) as caught:
        await client.call("GET", "/refuse", Thing)
    assert caught.value.code is Code.VALIDATION_ERROR
    assert caught.value.details == (FieldError("name", "is required"),)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/slow", Code.DEADLINE_EXCEEDED),
        ("/nonsense", Code.SERVICE_UNAVAILABLE),
        ("/missing", Code.NOT_FOUND),
    ],
)
async def test_every_way_to_fail_has_its_code(client, path, code) -> None:
    with pytest.raises(AppError) as caught:
        await client.call("GET", path, Thing)
    assert caught.value.code is code


async def test_a_request_that_is_running_late_leaves_its_calls_less_time(client) -> None:
    loop = asyncio.get_running_loop()
    context.deadline.set(loop.time() + 0.05)
    started = loop.time()
    with pytest.raises(AppError):
        await client.call("GET", "/slow", Thing)
    assert loop.time() - started < 0.25


async def test_a_service_that_is_not_there_is_unavailable() -> None:
    async with open_client(Upstream("ghost"), "http://127.0.0.1:1") as client:
        with pytest.raises(AppError) as caught:
            await client.call("GET", "/", Thing)
    assert caught.value.code is Code.SERVICE_UNAVAILABLE
