"""Email over TLS: only to a server whose certificate is trusted."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from devstack.embedded.ports import free_port
from devstack.testing.tls import Authority
from lib.errors import AppError, Code
from lib.mail import Mail, SmtpOptions, SmtpSender

MAIL = Mail("0190-1", "alice@example.com", "Hello", "Plain\n", "<p>Rich</p>")


class Server:
    """A mail server that requires a password and records the received data."""

    def __init__(self) -> None:
        self.mails = 0
        self.passwords: list[bytes] = []

    async def handle_DATA(self, _server: Any, _session: Any, _envelope: Any) -> str:
        self.mails += 1
        return "250 OK"

    def login(self, _server: Any, _session: Any, _envelope: Any, _how: str, given: Any) -> Any:
        self.passwords.append(given.password)
        return AuthResult(success=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tls")


@pytest.fixture(scope="module")
def authority(folder: Path) -> Authority:
    return Authority(folder)


@asynccontextmanager
async def serving(server: Server, tls: ssl.SSLContext, *, implicit: bool) -> AsyncIterator[int]:
    """Run the server with TLS from the first byte, or after STARTTLS; yield its port."""
    how = {"ssl_context": tls} if implicit else {"tls_context": tls, "require_starttls": True}
    controller = Controller(
        server,
        hostname="127.0.0.1",
        port=free_port(),
        authenticator=server.login,
        auth_required=True,
        # It means STARTTLS by this; the other kind is there from the beginning.
        auth_require_tls=not implicit,
        **how,
    )
    await asyncio.to_thread(controller.start)
    yield controller.port
    await asyncio.to_thread(controller.stop)


def sender(port: int, ca_file: Path | None, *, implicit: bool) -> SmtpSender:
    return SmtpSender(
        SmtpOptions(
            "localhost",
            port,
            "shop@example.com",
            user="shop",
            password="secret",
            implicit_tls=implicit,
            ca_file=ca_file,
            seconds=10.0,
        )
    )


@pytest.mark.parametrize("implicit", [False, True], ids=["STARTTLS", "implicit"])
async def test_a_mail_reaches_a_server_whose_authority_is_trusted(
    authority: Authority, implicit: bool
) -> None:
    server = Server()
    async with serving(server, authority.server(), implicit=implicit) as port:
        await sender(port, authority.file, implicit=implicit).send(MAIL)
    assert (server.mails, server.passwords) == (1, [b"secret"])


@pytest.mark.parametrize("implicit", [False, True], ids=["STARTTLS", "implicit"])
@pytest.mark.parametrize(
    ("host", "days", "trusts"),
    [
        ("localhost", 1, "nobody of its own"),
        ("localhost", 1, "stranger"),
        ("mail.example.com", 1, "authority"),
        ("localhost", -1, "authority"),
    ],
    ids=["the system does not know", "we do not know", "for another name", "that has ended"],
)
async def test_a_server_with_a_certificate_gets_neither_mail_nor_password(
    authority: Authority, folder: Path, implicit: bool, host: str, days: int, trusts: str
) -> None:
    trusted = {"authority": authority.file, "stranger": Authority(folder, "stranger").file}
    server = Server()
    async with serving(server, authority.server(host, days=days), implicit=implicit) as port:
        with pytest.raises(AppError) as refused:
            await sender(port, trusted.get(trusts), implicit=implicit).send(MAIL)
    assert refused.value.code is Code.SERVICE_UNAVAILABLE
    assert (server.mails, server.passwords) == (0, [])
