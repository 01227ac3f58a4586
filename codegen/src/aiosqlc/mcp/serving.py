"""Connect to the database, check its role, and serve the tools over a transport."""

from __future__ import annotations

import asyncio
import logging
import re
import sys
from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import version
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final, TextIO

import uvicorn
from mcp.server.auth.settings import AuthSettings
from mcp.server.lowlevel.server import Server
from mcp.server.transport_security import TransportSecuritySettings
from msgspec import Struct
from pydantic import AnyHttpUrl

from aiosqlc.config.policy import McpPolicy
from aiosqlc.mcp.audit import audit_to
from aiosqlc.mcp.author import Author
from aiosqlc.mcp.gate import Gate, Session
from aiosqlc.mcp.outcome import Database
from aiosqlc.mcp.project import Toolbox, bound_from, expanded
from aiosqlc.mcp.server import SessionsByToken, author_server, serve_stdio, server_for
from aiosqlc.mcp.tokens import TokenFile, TokenFileError, read_tokens
from aiosqlc.mcp.tools import BoundValueError
from aiosqlc.pipeline.analysed import Analysed
from aiosqlc.source import Dialect

_ADDRESS: Final = re.compile(r"(?P<host>\[[0-9a-fA-F:]+\]|[^:\s]+):(?P<port>\d{1,5})")
_MODULES: Final = {
    Dialect.POSTGRESQL: "aiosqlc.mcp.postgres",
    Dialect.MYSQL: "aiosqlc.mcp.mysql",
}
_LARGEST_BODY: Final = 1_000_000  # largest HTTP request, in bytes
_SHOWN: Final = 5  # most privileges that a message lists


class SettingsError(Exception):
    """Raised if the tools cannot be served.

    The message is one sentence for the user who starts the server.
    """


class Settings(Struct, frozen=True):
    """The settings of a server: policy, environment, HTTP address, token file and audit log.

    The server uses standard input and output if `http` is None.
    """

    policy: McpPolicy
    environ: Mapping[str, str]
    http: str | None
    tokens: Path | None
    audit: TextIO


def serve(settings: Settings, name: str, part: Analysed, toolbox: Toolbox) -> None:
    """Serve until the client disconnects or a signal arrives. Raises `SettingsError`."""
    # Standard output belongs to the protocol.
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    asyncio.run(_serve(settings, name, part, toolbox))


def serve_author(author: Author, name: str) -> None:
    """Serve an assistant that writes queries, on standard input and output."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    asyncio.run(serve_stdio(author_server(author, name, version("aiosqlc"))))


async def _serve(settings: Settings, name: str, part: Analysed, toolbox: Toolbox) -> None:
    policy = settings.policy
    address = _address(settings.http) if settings.http else None
    tokens = _tokens(settings) if address else None
    bound = {} if tokens else _bound(settings)
    _check_values(
        toolbox,
        {f"{settings.tokens}: `{name}`": one for name, one in tokens.bound.items()}
        if tokens
        else {"the environment": bound},
    )
    database = await _database(settings, part.entry.engine)
    try:
        await _check_role(database, policy, part, toolbox)
        gate = Gate(toolbox.tools, policy, database, toolbox.executor, audit_to(settings.audit))
        if address is None:
            session = Session("stdio", bound)
            await serve_stdio(server_for(gate, lambda: session, name, version("aiosqlc")))
            return
        one = Session("http", bound)
        session_of = SessionsByToken() if tokens else lambda: one
        await _serve_http(server_for(gate, session_of, name, version("aiosqlc")), address, tokens)
    finally:
        await database.close()


def _address(text: str) -> tuple[str, int]:
    found = _ADDRESS.fullmatch(text)
    if found is None or not 0 < int(found["port"]) < 65536:
        raise SettingsError(f"--http {text}: write HOST:PORT, such as 127.0.0.1:8000")
    return found["host"].strip("[]"), int(found["port"])


def _tokens(settings: Settings) -> TokenFile | None:
    """Read the token file, which is required unless the server listens on a loopback address."""
    if settings.tokens is None:
        host, _ = _address(settings.http or "")
        if not _is_loopback(host):
            raise SettingsError(
                f"--http {settings.http}: other machines can reach this address: add --tokens"
            )
        return None
    try:
        return read_tokens(settings.tokens, [name for name, _ in settings.policy.bind])
    except TokenFileError as error:
        raise SettingsError(str(error)) from None


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _bound(settings: Settings) -> dict[str, str]:
    values, missing = bound_from(settings.policy, settings.environ)
    if missing:
        raise SettingsError(
            f"environment variable {missing[0]} is not set, but `mcp.bind` needs this variable"
        )
    return values


def _check_values(toolbox: Toolbox, bound: Mapping[str, Mapping[str, str]]) -> None:
    """Raise an error if the bound values do not fit the types of their parameters.

    `bound` maps each source of values, which an error message names, to its values.
    """
    for giver, values in bound.items():
        for tool in toolbox.tools.values():
            try:
                tool.bound_values(values)
            except BoundValueError as error:
                raise SettingsError(f"{giver} has a value that is not valid for {error}") from None


async def _database(settings: Settings, engine: Dialect) -> Database:
    policy = settings.policy
    if not policy.database:
        raise SettingsError("`mcp.database` is missing: write `database: ${MCP_DATABASE_URL}`")
    uri = expanded(policy.database, settings.environ)
    if isinstance(uri, list):
        raise SettingsError(
            f"environment variable {uri[0]} is not set, but `mcp.database` needs this variable"
        )
    try:
        module = import_module(_MODULES[engine])  # the other engine's driver may not be installed
        database: Database = await module.opened(uri, policy.timeout)
    except ModuleNotFoundError:
        raise
    except Exception as error:  # noqa: BLE001 - any error in the connection string
        raise SettingsError(f"cannot connect to `mcp.database`: {_reason(error)}") from None
    return database


def _reason(error: Exception) -> str:
    """Return the driver's error message on one line; the message never contains the password."""
    return " ".join(str(error).split()) or type(error).__name__


async def _check_role(
    database: Database, policy: McpPolicy, part: Analysed, toolbox: Toolbox
) -> None:
    """Refuse a database role with more privileges than needed, unless the policy accepts it."""
    tables = tuple((table.schema, table.name) for table in part.analysis.catalog.tables)
    written = frozenset(
        table.rpartition(".")[2]
        for tool in toolbox.tools.values()
        if tool.offer.writes
        for table in tool.offer.query.writes
    )
    try:
        excess = await database.excess(tables, written)
    except Exception as error:
        if database.failure_of(error) is None:
            raise
        raise SettingsError(f"cannot connect to `mcp.database`: {_reason(error)}") from None
    if excess and not policy.wide_role:
        more = f" and {len(excess) - _SHOWN} more" if len(excess) > _SHOWN else ""
        raise SettingsError(
            "the role of `mcp.database` has more privileges than the tools need: it "
            f"{', '.join(excess[:_SHOWN])}{more}; `aiosqlc mcp --grants ROLE` prints the"
            " required privileges, and `wide_role: true` accepts this role"
        )


async def _serve_http(
    server: Server[Any], address: tuple[str, int], tokens: TokenFile | None
) -> None:
    """Serve over streamable HTTP without protocol sessions: a request's token names its caller."""
    host, port = address
    shown = f"[{host}]" if ":" in host else host
    auth = None
    if tokens is not None:
        auth = AuthSettings(
            issuer_url=AnyHttpUrl(f"http://{shown}:{port}"),
            resource_server_url=None,
            validate_token_resource=False,
        )
    names = [f"{shown}:{port}", *([f"localhost:{port}"] if _is_loopback(host) else [])]
    security = TransportSecuritySettings(
        enable_dns_rebinding_protection=_is_loopback(host),
        allowed_hosts=names,
        allowed_origins=[f"http://{name}" for name in names],
    )
    app = server.streamable_http_app(
        json_response=True,
        stateless_http=True,
        max_request_body_size=_LARGEST_BODY,
        transport_security=security,
        host=host,
        auth=auth,
        token_verifier=tokens,
    )
    config = uvicorn.Config(app, host=host, port=port, log_level="warning", access_log=False)
    listener = uvicorn.Server(config)
    try:
        await listener.serve()
    except SystemExit:
        raise SettingsError(f"cannot listen on {shown}:{port}") from None
