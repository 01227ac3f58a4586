"""Authentication over gRPC: exactly one valid token for every method of the platform."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import grpc
import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from lib.auth import Issuer, JwksCache, Role, SigningKey, StaticKeys, Verifier, current_principal
from lib.auth.service_tokens import ServiceTokens
from lib.auth.tokens import Issued
from lib.clock import utc_now
from lib.errors import AppError, Code
from lib.grpc.client import Client
from lib.grpc.errors import from_rpc_error
from lib.grpc.pool import ChannelPool
from lib.pb.point.v1 import GetUserPointsRequest, StreamUserLedgerRequest
from lib.pb.point.v1.rpc import GET_USER_POINTS, STREAM_USER_LEDGER, PointServiceStub
from lib.resilience import Upstream
from tests.lib.grpc.serving import Scripted, scripted

KEY = SigningKey.generate()
VERIFIER = Verifier(StaticKeys([KEY]), issuer="i", audience="a")
ASKING = GetUserPointsRequest(user_id="anybody")


def token(key: SigningKey = KEY, *, audience: str = "a", ago: timedelta = timedelta(0)) -> str:
    issuer = Issuer(
        key,
        issuer="i",
        audience=audience,
        ttl=timedelta(minutes=15),
        clock=lambda: datetime.now(UTC) - ago,
    )
    return issuer.issue("shop", [Role.SERVICE], ()).token


class Noting(Scripted):
    """Record the callers."""

    callers: list[str]

    async def _act(self, what: str = "") -> None:
        principal = current_principal()
        self.callers.append("" if principal is None else principal.subject)
        await super()._act(what)


@pytest.fixture
async def servicer() -> Noting:
    servicer = Noting()
    servicer.callers = []
    return servicer


@pytest.fixture
async def address(servicer: Noting) -> AsyncIterator[str]:
    async with scripted(servicer, verifier=VERIFIER) as address:
        yield address


REFUSED = {
    "without a token": (),
    "with an empty token": (("authorization", "Bearer "),),
    "with another scheme": (("authorization", f"Basic {token()}"),),
    "with what is no token": (("authorization", "Bearer x.y.z"),),
    "with a token twice": (("authorization", f"Bearer {token()}"),) * 2,
    "with somebody else's signature": (
        ("authorization", f"Bearer {token(SigningKey.generate())}"),
    ),
    "for another audience": (("authorization", f"Bearer {token(audience='b')}"),),
    "after its end": (("authorization", f"Bearer {token(ago=timedelta(minutes=16))}"),),
    "in a binary header": (("authorization-bin", f"Bearer {token()}".encode()),),
}


async def test_a_call_is_unauthenticated_with_our_error_and_never_served(
    address: str, servicer: Noting, subtests: pytest.Subtests
) -> None:
    for metadata in REFUSED.values():
        for streaming in [False, True]:
            with subtests.test(streaming=streaming, metadata=metadata):
                async with grpc.aio.insecure_channel(address) as channel:
                    if streaming:
                        request = bytes(StreamUserLedgerRequest(user_id="x"))
                        stream = channel.unary_stream(STREAM_USER_LEDGER.path)(
                            request, metadata=metadata
                        )
                        answer = stream.read()
                    else:
                        answer = channel.unary_unary(GET_USER_POINTS.path)(
                            bytes(ASKING), metadata=metadata
                        )
                    with pytest.raises(grpc.aio.AioRpcError) as raised:
                        await answer
                assert raised.value.code() is grpc.StatusCode.UNAUTHENTICATED
                error = from_rpc_error(raised.value, upstream="point")
                assert error.code is Code.UNAUTHORIZED
                assert error.headers == {"WWW-Authenticate": "Bearer"}
                assert servicer.callers == []


async def test_health_and_reflection_need_no_token(address: str) -> None:
    async with grpc.aio.insecure_channel(address) as channel:
        check = health_pb2_grpc.HealthStub(channel).Check
        reply = await check(health_pb2.HealthCheckRequest())
        assert reply.status == health_pb2.HealthCheckResponse.SERVING
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        reflect = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo
        assert (await reflect(iter([request])).read()).list_services_response.service


async def mint() -> Issued:
    return Issued(token(), "", utc_now() + timedelta(minutes=15))


async def test_a_client_with_tokens_is_known_to_the_service(address: str, servicer: Noting) -> None:
    pool = ChannelPool(address, size=2)
    stub = PointServiceStub(Client(pool, Upstream("point", tokens=ServiceTokens(mint))))
    for _ in range(3):
        assert (await stub.get_user_points(ASKING, seconds=30)).points == 5
    request = StreamUserLedgerRequest(user_id="x")
    ledger = await stub.stream_user_ledger(request, seconds=30, limit=9)
    assert [entry.amount for entry in ledger] == [0, 1, 2]
    assert servicer.callers == ["shop"] * 4
    await pool.close()


async def test_without_keys_to_check_with_nobody_gets_in() -> None:
    async def fetch() -> bytes:
        raise ConnectionRefusedError

    servicer = Noting()
    servicer.callers = []
    verifier = Verifier(JwksCache(fetch), issuer="i", audience="a")
    async with scripted(servicer, verifier=verifier) as address:
        pool = ChannelPool(address, size=1)
        client = Client(pool, Upstream("point", tokens=ServiceTokens(mint)))
        with pytest.raises(AppError) as raised:
            await PointServiceStub(client).get_user_points(ASKING, seconds=30)
        await pool.close()
    assert raised.value.code is Code.SERVICE_UNAVAILABLE
    assert servicer.callers == []
