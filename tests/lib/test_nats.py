"""NATS by URL: refused URLs, accepted clients, and secrets that no message contains."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
import socket
import struct
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from time import time

import nkeys
import pytest
from nats.errors import Error, NoServersError

from devstack.testing import nats
from devstack.testing.nats import TestNats
from devstack.testing.tls import Authority
from lib.config import ConfigError, load
from lib.events.brokers import open_broker
from lib.nats import client
from lib.nats.url import parse
from lib.redis.settings import RedisSettings

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nats://a:hunter2@h:x", "has an invalid port"),
        ("nats://a:hunter2@h?replicas=2", "replicas must be one of 1, 3, 5"),
        ("nats://a:hunter2@h?tls_verify=no", "has unknown options: tls_verify"),
        ("nats://a:hunter2@h/stream", "has a path"),
        ("nats://a:hunter2@h?ack_seconds=0", "ack_seconds must be a number"),
        ("nats://a:hunter2@h?ack_seconds=nan", "ack_seconds must be a number"),
        ("ws://a:hunter2@h", "must start with redis://"),
    ],
)
def test_a_service_does_not_start_with_a_url_that_is_none(
    url: str, said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EVENTS_URL", url)
    with pytest.raises(ConfigError, match="EVENTS_URL: ") as refused:
        load(RedisSettings)
    assert said in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_a_url_says_where_as_whom_and_how_many_copies() -> None:
    one = parse("nats://me:p%40ss@[::1]")
    assert (one.servers, one.user, one.password) == (("nats://[::1]:4222",), "me", "p@ss")
    assert (one.replicas, one.is_tls, one.ack_seconds) == (1, False, 10.0)
    three = parse("tls://a,b:1,c?creds=/x&tls_ca=/y")
    assert three.servers == ("tls://a:4222", "tls://b:1", "tls://c:4222")
    assert (three.replicas, three.is_tls) == (3, True)
    assert (three.credentials, three.authority) == (Path("/x"), Path("/y"))
    assert "p@ss" not in repr(one)


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From now on, give up soon if a server is unreachable or accepts no client.

    Use this only for connections that are always refused; a connection that must succeed may take
    the whole time.
    """
    return lambda: monkeypatch.setattr(client, "_CONNECT_SECONDS", 1.0)


async def test_who_has_a_wrong_password_is_refused_and_it_is_told_nobody(
    nats_server: TestNats, capsys: pytest.CaptureFixture[str], hurry: Callable[[], None]
) -> None:
    hurry()
    url = nats_server.url.replace(nats_server.password, "hunter2")
    async with open_broker(url, name="test") as broker:
        with pytest.raises(Error) as refused:
            await broker.ping()
    said = capsys.readouterr()
    assert "hunter2" not in f"{refused.value!r}{said.out}{said.err}"


async def test_a_refusal_is_told_also_where_the_next_connection_breaks() -> None:
    seen = 0

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal seen
        seen += 1
        writer.write(b'INFO {"server_id": "x", "max_payload": 1, "auth_required": true}\r\n')
        await reader.readuntil(b"PING")
        if seen == 1:
            writer.write(b"-ERR 'Authorization Violation'\r\n")
            await writer.drain()
        else:  # as a reset
            reset = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
        writer.close()

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with open_broker(f"nats://me:you@127.0.0.1:{port}", name="t") as broker:
            with pytest.raises(Error, match="Authorization"):
                await broker.ping()
    assert seen > 1


async def test_a_server_that_is_not_there_is_an_error_when_it_is_asked_and_soon(
    hurry: Callable[[], None],
) -> None:
    hurry()
    async with open_broker("nats://127.0.0.1:9", name="test") as broker, asyncio.timeout(30):
        with pytest.raises((OSError, NoServersError)):
            await broker.ping()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def tls_server(authority: Authority):
    both = authority.signed("localhost")
    with nats.running(lines=f"tls {{ cert_file: {both}, key_file: {both} }}\n") as server:
        yield server


def _tls(server: TestNats, host: str, authority: Path) -> str:
    return f"tls://events:{server.password}@{host}:{server.port}?tls_ca={authority}"


async def test_with_tls_the_server_proves_who_it_is(
    tls_server: TestNats, authority: Authority, tmp_path: Path, hurry: Callable[[], None]
) -> None:
    async with open_broker(_tls(tls_server, "localhost", authority.file), name="t") as broker:
        await broker.ping()
    other = Authority(tmp_path, "other")
    hurry()

    async def refused(url: str) -> None:
        async with open_broker(url, name="t") as broker:
            with pytest.raises((OSError, Error)):
                await broker.ping()

    await asyncio.gather(  # each is tried again for as long as connecting may take
        refused(_tls(tls_server, "localhost", other.file)),
        refused(_tls(tls_server, "127.0.0.1", authority.file)),  # no name of its certificate
    )


@pytest.fixture
async def listener() -> AsyncIterator[tuple[int, list[bytes]]]:
    """A server without TLS that stores the received data."""
    told: list[bytes] = []

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        info = {"server_id": "x", "version": "2.9.10", "max_payload": 1, "auth_required": True}
        writer.write(f"INFO {json.dumps(info)}\r\n".encode())
        while part := await reader.read(4096):
            told.append(part)
        writer.close()

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1], told


async def test_a_server_without_tls_is_told_no_password_where_tls_was_asked_for(
    listener, hurry: Callable[[], None]
) -> None:
    port, told = listener
    hurry()
    async with open_broker(f"tls://me:hunter2@127.0.0.1:{port}", name="t") as broker:
        with pytest.raises((OSError, Error)):
            await broker.ping()
    assert told == []


def _token(issuer: nkeys.KeyPair, subject: str, name: str, **claims: object) -> str:
    """Return the token that `nsc` would write, signed by `issuer`."""

    def part(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).decode().rstrip("=")

    head = {"typ": "JWT", "alg": "ed25519-nkey"}
    body = {
        "jti": secrets.token_hex(8), "iat": int(time()), "iss": issuer.public_key.decode(),
        "name": name, "sub": subject, "nats": {"version": 2, **claims},
    }  # fmt: skip
    text = f"{part(json.dumps(head).encode())}.{part(json.dumps(body).encode())}"
    return f"{text}.{part(issuer.sign(text.encode()))}"


def _pair(kind: int) -> nkeys.KeyPair:
    return nkeys.from_seed(nkeys.encode_seed(secrets.token_bytes(32), kind))


async def test_a_file_of_credentials_lets_in(tmp_path: Path, hurry: Callable[[], None]) -> None:
    operator, user = _pair(nkeys.PREFIX_BYTE_OPERATOR), _pair(nkeys.PREFIX_BYTE_USER)
    account, system = _pair(nkeys.PREFIX_BYTE_ACCOUNT), _pair(nkeys.PREFIX_BYTE_ACCOUNT)
    account_id, system_id = account.public_key.decode(), system.public_key.decode()
    trusted = _token(operator, operator.public_key.decode(), "op", type="operator")
    storage = {"mem_storage": -1, "disk_storage": -1, "streams": -1, "consumer": -1}
    limits = {"subs": -1, "data": -1, "payload": -1, "conn": -1, "leaf": -1, **storage}
    known = _token(operator, account_id, "app", type="account", limits=limits)
    none = dict.fromkeys(storage, 0)
    own = _token(operator, system_id, "sys", type="account", limits=limits | none)
    who = {"type": "user", "subs": -1, "data": -1, "payload": -1}
    token = _token(account, user.public_key.decode(), "service", **who)
    file = tmp_path / "service.creds"
    file.touch(mode=0o600)
    file.write_text(
        f"-----BEGIN NATS USER JWT-----\n{token}\n------END NATS USER JWT------\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{user.seed.decode()}\n------END USER NKEY SEED------\n"
    )
    lines = (
        f"operator: {trusted}\nsystem_account: {system_id}\nresolver: MEMORY\n"
        f"resolver_preload {{ {account_id}: {known}, {system_id}: {own} }}\n"
    )
    with nats.running(lines=lines, accounts=False) as server:
        async with open_broker(f"nats://127.0.0.1:{server.port}?creds={file}", name="t") as broker:
            await broker.ping()
        hurry()
        async with open_broker(f"nats://127.0.0.1:{server.port}", name="t") as broker:
            with pytest.raises(Error):
                await broker.ping()
