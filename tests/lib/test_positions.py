"""The log position of a client's writes travels with its calls, over HTTP and gRPC, and back."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from prometheus_client import CollectorRegistry

from lib import positions
from lib.config import Settings
from lib.grpc.client import Client
from lib.grpc.pool import ChannelPool
from lib.http.client import open_client
from lib.http.middleware.stack import MiddlewareStack
from lib.http.respond import ok
from lib.pb.point.v1 import GetUserPointsRequest, GetUserPointsResponse, StreamUserLedgerRequest
from lib.pb.point.v1.rpc import PointServiceStub
from lib.positions import Scope, Signer
from lib.resilience import Upstream
from tests.lib.grpc.serving import Scripted, scripted

OURS, THEIRS = Signer("user", b"a"), Signer("point", b"b")


class Seen(msgspec.Struct):
    reads: bool
    known: str


class Point(Scripted):
    """A service that records the received position, and writes up to 9 in each call."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Seen] = []

    async def get_user_points(self, request: GetUserPointsRequest) -> GetUserPointsResponse:
        self.seen.append(self.note())
        return GetUserPointsResponse(points=5)

    async def _act(self, what: str = "") -> None:
        self.seen.append(self.note())

    def note(self) -> Seen:
        scope = positions.scope.get()
        assert scope is not None
        scope.wrote(THEIRS, _nine)
        return Seen(scope.reads, scope.header)

    async def answer(self, _: web.Request) -> web.Response:
        return ok(self.note())


async def _nine() -> int:
    return 9


@pytest.fixture
def scope() -> Scope:
    """The scope of the calling request, whose client has written up to position 4."""
    at, signature = OURS.entry(4)
    scope = Scope(reads=True, header=f"user={at:x}.{signature}")
    positions.scope.set(scope)
    return scope


@pytest.fixture
async def stub() -> AsyncIterator[tuple[PointServiceStub, Point]]:
    upstream = Point()
    async with scripted(upstream) as address:
        pool = ChannelPool(address, size=1)
        try:
            yield PointServiceStub(Client(pool, Upstream("point"))), upstream
        finally:
            await pool.close()


async def test_over_grpc_it_is_passed_on_and_what_was_written_comes_back(
    scope: Scope, stub: tuple[PointServiceStub, Point]
) -> None:
    token = positions.scope.set(scope)
    client, upstream = stub
    known = scope.header
    await client.get_user_points(GetUserPointsRequest(user_id="a"), seconds=30)
    positions.scope.reset(token)
    assert upstream.seen == [Seen(True, known)]
    assert await scope.needs(THEIRS) == 9
    assert await scope.needs(OURS) == 4
    assert "point=9." in await scope.answer()


async def test_a_grpc_method_that_is_not_called_get_or_list_reads_from_the_primary(
    stub: tuple[PointServiceStub, Point],
) -> None:
    client, upstream = stub
    request = StreamUserLedgerRequest(user_id="a")
    assert len(await client.stream_user_ledger(request, seconds=30, limit=9)) == 3
    assert [seen.reads for seen in upstream.seen] == [False]


@pytest.mark.parametrize(("method", "reads"), [("GET", True), ("POST", False), ("DELETE", False)])
async def test_over_http_it_is_passed_on_and_what_was_written_comes_back(
    scope: Scope, method: str, reads: bool
) -> None:
    token = positions.scope.set(scope)
    upstream = Point()
    middleware = MiddlewareStack(Settings(_env_file=None), CollectorRegistry())
    app = web.Application(middlewares=[middleware.serve])
    app.router.add_route("*", "/", upstream.answer)
    known = scope.header
    async with (
        TestServer(app) as server,
        open_client(Upstream("point"), str(server.make_url("/"))) as client,
    ):
        seen = await client.call(method, "/", Seen)
    positions.scope.reset(token)
    assert seen == Seen(reads, known)
    assert await scope.needs(THEIRS) == 9
    assert "point=9." in await scope.answer()


def test_what_a_stranger_sends_is_bounded() -> None:
    at, signature = OURS.entry(4)
    for sent in ("x" * 5000, "user=zz.aaa", "a" * 100 + "=1.x", f"user={at:x}.{signature}x"):
        assert Scope(reads=True, header=sent).header == ""
    many = ",".join(f"{'abcdefghijklmnopqrstuvwxyz'[n]}=1.{signature}" for n in range(26))
    assert Scope(reads=True, header=many).header.count("=") <= 16
