"""A service as it listens: what its own test client would not show."""

from __future__ import annotations

import gzip

import aiohttp
import msgspec
import pytest
from aiohttp import web

from lib.config import Settings
from lib.http import decode, respond
from lib.http.app import new_app
from lib.http.server import serve_app
from lib.resource.input import Input


class Note(Input, frozen=True, kw_only=True):
    text: str


async def take(request: web.Request) -> web.Response:
    return respond.ok(await decode.body(request, Note))


@pytest.fixture
async def client():
    settings = Settings(max_body_bytes=2000)
    app = new_app("notes", settings, [web.post("/notes", take)])
    async with (
        serve_app(app, settings, port=0) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client,
    ):
        yield client


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, gzip", "rot13"])
@pytest.mark.parametrize(
    "data", [gzip.compress(b" " * 1_000_000), b"neither"], ids=["a bomb", "neither"]
)
async def test_a_compressed_body_is_refused_without_a_look_at_it(client, encoding, data) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": encoding}
    for _ in range(2):  # the connection is as good as before
        async with client.post("/notes", data=data, headers=headers) as answer:
            error = msgspec.json.decode(await answer.read())["error"]
            assert (answer.status, error["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")
            assert answer.headers["Accept-Encoding"] == "identity"
