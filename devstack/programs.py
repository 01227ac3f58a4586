"""The programs of the platform, with their commands, environments and readiness checks."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence

from devstack import credentials, gateway
from devstack.embedded import postgres, redis
from devstack.embedded.home import Home
from devstack.program import Program
from devstack.settings import ROOT, Service, Settings

HOST = "127.0.0.1"


def database_program(home: Home) -> Program:
    """Prepare the embedded PostgreSQL: at the first run, create its data directory."""
    instance = home.postgres_instance()
    account = postgres.prepare(instance)
    return Program(
        name="postgres",
        command=postgres.command(instance),
        account=account,
        stop_signal=postgres.STOP_SIGNAL,
        stop_within=postgres.STOP_SECONDS,
        ready_within=postgres.START_SECONDS,
        ready=lambda: asyncio.to_thread(postgres.accepts, instance),
    )


def redis_program(home: Home, services: Sequence[str]) -> Program:
    """Prepare the embedded Redis: write its configuration with the passwords."""
    instance = home.redis_instance(services)
    return Program(
        name="redis",
        command=redis.command(redis.prepare(instance)),
        ready=lambda: asyncio.to_thread(redis.accepts, instance),
        # Advice for the kernel of a production machine, repeated at each start on any other.
        noise="WARNING Memory overcommit must be enabled",
    )


def service_program(service: Service, settings: Settings, databases: Mapping[str, str]) -> Program:
    """Describe a service as a child process; `databases` are URLs by database name."""
    return Program(
        name=service.name,
        command=[sys.executable, "-m", f"services.{service.name}"],
        env=_environment(service, settings, databases),
        ready=answers(service.port, "/readyz"),
    )


def gateway_program(settings: Settings) -> Program:
    """Prepare NGINX: render its configuration and check it.

    Raises StartError if this is impossible.
    """
    account, config = gateway.prepare(settings)
    return Program(
        name="nginx",
        command=gateway.command(config),
        account=account,
        ready=answers(settings.gateway_port, "/healthz"),
    )


def answers(port: int, path: str) -> Callable[[], Awaitable[bool]]:
    """Return a check that `GET path` on this port of 127.0.0.1 responds 200 within a second."""

    async def ask() -> bool:
        try:
            async with asyncio.timeout(1):
                reader, writer = await asyncio.open_connection(HOST, port)
                try:
                    writer.write(f"GET {path} HTTP/1.0\r\nHost: {HOST}\r\n\r\n".encode())
                    status = await reader.readline()
                    await reader.read()  # to the end, or the service logs that we hung up
                finally:
                    writer.close()
        except (OSError, TimeoutError):
            return False
        return b" 200 " in status

    return ask


def _environment(
    service: Service, settings: Settings, databases: Mapping[str, str]
) -> dict[str, str]:
    """Return a service's environment variables, with other services' addresses and its secrets."""
    upper = service.name.upper()
    env = {
        "ENVIRONMENT": "development",
        "LOG_FORMAT": "console",
        "DRAIN_SECONDS": "5",  # Ctrl-C should not take half a minute
        "HOST": HOST,
        "REDIS_URL": settings.home.redis_instance([service.name]).url_of(service.name),
        "MAIL_FOLDER": str(settings.home.path / "mail"),
        "FILES_FOLDER": str(settings.home.path / "files"),
        "PUBLIC_URL": settings.gateway_url,
        **credentials.shared(settings.home, [peer.name for peer in settings.services]),
        **credentials.own(settings.home, service.name, [peer.name for peer in settings.services]),
        **{name: value for name, value in settings.environ.items() if value},
        "PYTHONPATH": os.pathsep.join(
            filter(None, (str(ROOT), settings.environ.get("PYTHONPATH")))
        ),
        "PYTHONUNBUFFERED": "1",
        f"{upper}_PORT": str(service.port),
    }
    for peer in settings.services:
        if peer.grpc_port:
            env[f"{peer.name.upper()}_GRPC_ADDRESS"] = f"{HOST}:{peer.grpc_port}"
        env[f"{peer.name.upper()}_URL"] = f"http://{HOST}:{peer.port}"
        if peer.name == "user":
            issuer = f"http://{HOST}:{peer.port}"
            env.setdefault("AUTH_JWKS_URL", f"{issuer}/.well-known/jwks.json")
            env.setdefault("AUTH_TOKEN_URL", f"{issuer}/api/v1/auth/token")
    if service.grpc_port:
        env[f"{upper}_GRPC_PORT"] = str(service.grpc_port)
    if service.name in databases:
        env[f"{upper}_DATABASE_URL"] = databases[service.name]
    return env
