"""Email: rendered, sent to a real SMTP server, or written to a folder."""

from __future__ import annotations

import asyncio
import email
import email.policy
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from jinja2 import TemplateError

from devstack.embedded.ports import free_port
from lib.errors import AppError, Code
from lib.mail import FileSender, Mail, RedirectingSender, SmtpOptions, SmtpSender, Templates

MAIL = Mail("0190-1", "alice@example.com", "Hello", "Plain ü\n", "<p>Rich ü</p>")


class Inbox:
    """The received emails of a real server; it responds to RCPT and DATA as a test sets."""

    def __init__(self) -> None:
        self.mails: list[Any] = []
        self.rcpt = "250 OK"
        self.data = "250 OK"

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, to: str, _: Any) -> str:
        if self.rcpt.startswith("250"):
            envelope.rcpt_tos.append(to)
        return self.rcpt

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        if self.data.startswith("250"):
            self.mails.append(envelope)
        return self.data


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
async def smtp(inbox: Inbox) -> AsyncIterator[SmtpOptions]:
    controller = Controller(inbox, hostname="127.0.0.1", port=free_port())
    await asyncio.to_thread(controller.start)
    yield SmtpOptions("127.0.0.1", controller.port, "shop@example.com", plain=True, seconds=30)
    await asyncio.to_thread(controller.stop)


def parsed(raw: bytes) -> Any:
    return email.message_from_bytes(raw, policy=email.policy.default)


async def test_a_mail_arrives_with_both_bodies(smtp: SmtpOptions, inbox: Inbox) -> None:
    await SmtpSender(smtp).send(MAIL)
    (envelope,) = inbox.mails
    assert (envelope.mail_from, envelope.rcpt_tos) == ("shop@example.com", ["alice@example.com"])
    message = parsed(envelope.content)
    assert (message["Subject"], message["Message-ID"]) == ("Hello", "<0190-1@example.com>")
    assert message.get_body(("plain",)).get_content().strip() == "Plain ü"
    assert message.get_body(("html",)).get_content().strip() == "<p>Rich ü</p>"


@pytest.mark.parametrize(
    ("rcpt", "data", "code"),
    [
        ("550 no such user", "250 OK", Code.VALIDATION_ERROR),
        ("450 try later", "250 OK", Code.SERVICE_UNAVAILABLE),
        ("250 OK", "554 spam", Code.VALIDATION_ERROR),
        ("250 OK", "451 busy", Code.SERVICE_UNAVAILABLE),
    ],
)
async def test_a_refusal_for_good_is_told_from_one_for_now(
    smtp: SmtpOptions, inbox: Inbox, rcpt: str, data: str, code: Code
) -> None:
    inbox.rcpt, inbox.data = rcpt, data
    with pytest.raises(AppError) as refused:
        await SmtpSender(smtp).send(MAIL)
    assert refused.value.code is code
    assert inbox.mails == []


@pytest.mark.parametrize("step", ["connect", "HELO", "MAIL"])
async def test_a_server_that_wants_nothing_of_us_at_all_has_not_refused_the_mail(
    step: str,
) -> None:
    async def refusing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"554 go away\r\n" if step == "connect" else b"220 hello\r\n")
        while line := await reader.readline():
            refused = step in ("HELO", "connect") or line.startswith(b"MAIL")
            writer.write(b"554 go away\r\n" if refused else b"250 OK\r\n")
        writer.close()

    async with await asyncio.start_server(refusing, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        options = SmtpOptions("127.0.0.1", port, "shop@example.com", plain=True, seconds=30)
        with pytest.raises(AppError) as failed:
            await SmtpSender(options).send(MAIL)
    assert failed.value.code is Code.SERVICE_UNAVAILABLE


async def test_a_server_that_is_away_or_silent_is_for_later() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    for port in (free_port(), server.sockets[0].getsockname()[1]):
        options = SmtpOptions("127.0.0.1", port, "shop@example.com", plain=True, seconds=0.2)
        with pytest.raises(AppError) as failed:
            await SmtpSender(options).send(MAIL)
        assert failed.value.code is Code.SERVICE_UNAVAILABLE
    server.close()


async def test_without_tls_a_server_gets_nothing_unless_plain_is_asked_for(
    smtp: SmtpOptions, inbox: Inbox
) -> None:
    strict = SmtpOptions(smtp.host, smtp.port, smtp.sender, seconds=30)
    with pytest.raises(AppError):
        await SmtpSender(strict).send(MAIL)
    assert inbox.mails == []


async def test_a_redirected_mail_says_for_whom_it_was(smtp: SmtpOptions, inbox: Inbox) -> None:
    await RedirectingSender(SmtpSender(smtp), "dev@example.com").send(MAIL)
    assert inbox.mails[0].rcpt_tos == ["dev@example.com"]
    assert parsed(inbox.mails[0].content)["Subject"] == "[for alice@example.com] Hello"


@pytest.mark.parametrize(
    "changes",
    [
        {"to": "alice@example.com\nBcc: all@example.com"},
        {"to": "alice@example.com, bob@example.com"},
        {"to": ""},
        {"to": "alice"},
        {"subject": "Hello\nBcc: all@example.com"},
        {"id": "x>\r\nBcc: all@example.com"},
    ],
    ids=repr,
)
async def test_nobody_writes_a_second_header(tmp_path: Path, changes: dict[str, str]) -> None:
    fields = {"id": "1", "to": "a@b.c", "subject": "s", "text": "t", "html": "h"} | changes
    with pytest.raises(AppError) as refused:
        await FileSender(tmp_path).send(Mail(**fields))
    assert refused.value.code is Code.VALIDATION_ERROR
    assert list(tmp_path.iterdir()) == []


async def test_a_mail_in_the_folder_is_a_mail_only_its_owner_reads(tmp_path: Path) -> None:
    sender = FileSender(tmp_path / "mail")
    await sender.send(MAIL)
    await sender.send(Mail("../../evil", "a@b.c", "s", "t", "h"))
    files = sorted(path.name for path in (tmp_path / "mail").iterdir())
    assert files == [".._.._evil.eml", "0190-1.eml"]
    path = tmp_path / "mail" / "0190-1.eml"
    assert parsed(path.read_bytes())["To"] == "alice@example.com"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_templates_escape_html_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "hello.txt").write_text("Hello {{ name }}\n\nDear {{ name }}!\n")
    (tmp_path / "hello.html").write_text("<p>{{ name }}</p>")
    mail = Templates(tmp_path).render("hello", mail_id="1", to="a@b.c", values={"name": "<Ann>"})
    assert (mail.subject, mail.text, mail.html) == (
        "Hello <Ann>",
        "Dear <Ann>!\n",
        "<p>&lt;Ann&gt;</p>",
    )
    with pytest.raises(TemplateError, match="name"):
        Templates(tmp_path).render("hello", mail_id="1", to="a@b.c", values={})
    with pytest.raises(TemplateError):
        Templates(tmp_path).render("../hello", mail_id="1", to="a@b.c", values={})
