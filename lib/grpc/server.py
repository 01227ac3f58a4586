"""A gRPC server with health, reflection, limits and graceful shutdown."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

import grpc
import grpc.aio
from google.protobuf import descriptor_pool
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from prometheus_client import CollectorRegistry

from lib.auth.tokens import Verifier
from lib.errors import StartError
from lib.grpc.guard import Guard
from lib.grpc.methods import Service
from lib.grpc.metrics import ServerMetrics
from lib.grpc.tls import ServerTls
from lib.log import get_logger

log = get_logger(__name__)

DESCRIPTORS: Final = "descriptors.binpb"  # in lib/pb: every .proto, for reflection
MAX_MESSAGE_BYTES: Final = 4 * 1024 * 1024
_OPTIONS: Final = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    # Two processes on one port would share its calls; a busy port must be an error instead.
    ("grpc.so_reuseport", 0),
    # Clients ping every 20 s to notice a dead path; answer instead of hanging up on them.
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
)


@dataclass(frozen=True, slots=True)
class Listener:
    """The address and limits of a server. Port 0 selects a free port."""

    host: str
    port: int
    unary_seconds: float = 30.0
    drain_seconds: float = 10.0
    max_concurrent_calls: int = 1000
    tls: ServerTls | None = None


@asynccontextmanager
async def serve(
    services: Sequence[Service],
    listener: Listener,
    *,
    registry: CollectorRegistry,
    verifier: Verifier | None = None,
) -> AsyncIterator[int]:
    """Serve until the block ends. Yield the bound port.

    With a `verifier`, every call needs a token, except calls of the health and reflection services.

    At the end of the block, health reports NOT_SERVING and new calls are refused. Running calls
    have `drain_seconds` to finish, and then they are cancelled. Raises StartError if the port is in
    use or if a TLS file of the listener cannot be read.
    """
    server = grpc.aio.server(
        options=_OPTIONS, maximum_concurrent_rpcs=listener.max_concurrent_calls
    )
    guard = Guard(ServerMetrics(registry), unary_seconds=listener.unary_seconds, verifier=verifier)
    for service in services:
        handlers = {bound.name: guard.handler(bound) for bound in service.methods}
        generic = grpc.method_handlers_generic_handler(service.name, handlers)
        server.add_generic_rpc_handlers((generic,))
    checks = await _add_health(server, services)
    _add_reflection(server, services)
    address = f"{listener.host}:{listener.port}"
    try:
        if listener.tls is None:
            port = server.add_insecure_port(address)
        else:
            port = server.add_secure_port(address, listener.tls.credentials())
    except RuntimeError as error:
        raise StartError(f"port {listener.port} on {listener.host} is in use") from error
    await server.start()
    log.info("listening", host=listener.host, port=port, protocol="grpc")
    try:
        yield port
    finally:
        await checks.enter_graceful_shutdown()
        await server.stop(listener.drain_seconds)


async def _add_health(
    server: grpc.aio.Server, services: Sequence[Service]
) -> health.aio.HealthServicer:
    checks = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    for name in ("", *(service.name for service in services)):
        await checks.set(name, health_pb2.HealthCheckResponse.SERVING)
    return checks


def _add_reflection(server: grpc.aio.Server, services: Sequence[Service]) -> None:
    pool = descriptor_pool.Default()
    data = files("lib.pb").joinpath(DESCRIPTORS).read_bytes()
    for file in FileDescriptorSet.FromString(data).file:
        pool.AddSerializedFile(file.SerializeToString())
    names = (*(service.name for service in services), health.SERVICE_NAME, reflection.SERVICE_NAME)
    reflection.enable_server_reflection(names, server, pool=pool)
