"""Emails reach a real SMTP server after any failure; none is lost or sent without a reason."""

from __future__ import annotations

import asyncio
import email
import email.policy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
from aiosmtpd.controller import Controller
from prometheus_client import CollectorRegistry

from devstack.embedded.ports import free_port
from devstack.testing.wait import eventually
from lib.db.postgres import open_database
from lib.ids import new_id
from lib.mail import SmtpOptions, SmtpSender
from services.user.config import UserConfig
from services.user.mailer import Mailer, MailPolicy
from tests.rows.user.factory import Factory
from tests.rows.user.models import AccountRole
from tests.services.user.world import running_world

QUICK = MailPolicy(attempts=3, first_wait=0.02, longest_wait=0.05, lease=60.0, idle=0.02)


class Inbox:
    """The received emails of a real server; it responds as a test sets."""

    def __init__(self) -> None:
        self.mails: list[Any] = []
        self.answer = "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        if self.answer.startswith("250"):
            self.mails.append(
                email.message_from_bytes(envelope.content, policy=email.policy.default)
            )
        return self.answer

    @property
    def subjects(self) -> list[str]:
        return [mail["Subject"] for mail in self.mails]


@asynccontextmanager
async def serving(inbox: Inbox, port: int) -> AsyncIterator[None]:
    controller = Controller(inbox, hostname="127.0.0.1", port=port)
    await asyncio.to_thread(controller.start)
    try:
        yield
    finally:
        await asyncio.to_thread(controller.stop)


class Outbox:
    """The outbox of a user database, and its mailers."""

    def __init__(self, url: str, connection: asyncpg.Connection, port: int) -> None:
        self.config = UserConfig(_env_file=None, database_url=url)
        self.connection = connection
        self.rows = Factory(connection)
        self.sender = SmtpSender(
            SmtpOptions("127.0.0.1", port, "shop@example.com", plain=True, seconds=30)
        )

    async def add(self, template: str = "verify_email", address: str = "ann@example.com") -> None:
        ann = await self.rows.make_account(
            email=address,
            first_name="Ann",
            last_name="O'Neil",
            role=AccountRole.CUSTOMER,
            password_hash="x",
        )
        await self.rows.make_mail_outbox(
            id=new_id(), template=template, account_id=ann.id, recipient=address
        )

    @asynccontextmanager
    async def mailer(self, policy: MailPolicy = QUICK) -> AsyncIterator[Mailer]:
        async with open_database(self.config, application="mailer") as db:
            links = self.config.links()
            yield Mailer(db, self.sender, links, registry=CollectorRegistry(), policy=policy)

    async def states(self) -> list[str]:
        rows = await self.connection.fetch(
            "SELECT CASE WHEN sent_at IS NOT NULL THEN 'sent'"
            " WHEN failed_at IS NOT NULL THEN 'failed' ELSE 'waiting' END AS state"
            " FROM mail_outbox ORDER BY id"
        )
        return [row["state"] for row in rows]

    async def until(self, *states: str) -> None:
        async def are_so() -> bool:
            return await self.states() == list(states)

        await eventually(are_so)


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
async def outbox(new_database) -> AsyncIterator[Outbox]:
    url = await new_database("user")
    connection = await asyncpg.connect(url)
    yield Outbox(url, connection, free_port())
    await connection.close()


def port_of(outbox: Outbox) -> int:
    return outbox.sender._options.port


@pytest.mark.parametrize(
    ("template", "subject", "link"),
    [
        ("verify_email", "Account verification", "/verify-email#token="),
        ("email_verified", "Verification success", None),
        ("reset_password", "Password reset", "/reset-password#token="),
        ("address_restored", "Password reset", "/reset-password#token="),
        ("address_release", "Your address at another account", "/undo-address#token="),
        ("password_changed", "Your password was changed", None),
        ("new_device", "A sign-in from a new device", None),
        ("second_factor_changed", "Your second factor has changed", None),
        ("identity_changed", "A sign-in was linked or removed", None),
        ("job_cancelled_for_customer", "A job was called off", None),
        ("job_done_for_customer", "A job of yours is done", None),
        ("job_cancelled_for_provider", "A job was called off", None),
        ("service_order_expired", "Your service order has expired", None),
    ],
)
async def test_every_mail_arrives_as_text_and_html_with_its_link(
    outbox, inbox, template, subject, link
) -> None:
    await outbox.add(template)
    async with serving(inbox, port_of(outbox)), outbox.mailer() as mailer:
        assert await mailer.step()
        assert not await mailer.step()
    (mail,) = inbox.mails
    assert (mail["Subject"], mail["To"]) == (subject, "ann@example.com")
    for kind in ("plain", "html"):
        body = mail.get_body((kind,)).get_content()
        assert "Ann" in body
        assert (link is None and "token" not in body) or (link is not None and link in body)


async def test_a_server_that_is_away_gets_the_mail_when_it_is_back_and_once(outbox, inbox) -> None:
    await outbox.add()
    patient = MailPolicy(attempts=1000, first_wait=0.02, longest_wait=0.05, idle=0.02)

    async def tried_three_times() -> bool:
        return await outbox.connection.fetchval("SELECT attempts FROM mail_outbox") >= 3

    async with outbox.mailer(patient) as mailer, mailer.running():
        await eventually(tried_three_times)
        async with serving(inbox, port_of(outbox)):
            await outbox.until("sent")
    assert inbox.subjects == ["Account verification"]
    error = await outbox.connection.fetchval("SELECT last_error FROM mail_outbox")
    assert error is None


@pytest.mark.parametrize(
    ("answer", "attempts"), [("550 no such user", 1), ("451 try later", QUICK.attempts)]
)
async def test_a_mail_that_is_refused_for_good_or_too_often_is_given_up(
    outbox, inbox, answer, attempts
) -> None:
    await outbox.add()
    inbox.answer = answer
    async with (
        serving(inbox, port_of(outbox)),
        outbox.mailer() as mailer,
        mailer.running(),
    ):
        await outbox.until("failed")
    row = await outbox.connection.fetchrow("SELECT attempts, last_error FROM mail_outbox")
    assert row["attempts"] == attempts
    assert row["last_error"]


async def test_one_bad_mail_does_not_hold_up_the_others(outbox, inbox) -> None:
    await outbox.add(address='a"b@example.com')
    await outbox.add(address="bob@example.com")
    async with serving(inbox, port_of(outbox)), outbox.mailer() as mailer, mailer.running():
        await outbox.until("failed", "sent")
    assert [mail["To"] for mail in inbox.mails] == ["bob@example.com"]


async def test_several_mailers_send_each_mail_once(outbox, inbox) -> None:
    for number in range(20):
        await outbox.add(address=f"a{number}@example.com")
    async with (
        serving(inbox, port_of(outbox)),
        outbox.mailer() as one,
        outbox.mailer() as two,
        one.running(),
        two.running(),
    ):
        await outbox.until(*["sent"] * 20)
    assert sorted(mail["To"] for mail in inbox.mails) == sorted(
        f"a{number}@example.com" for number in range(20)
    )


async def test_a_mail_whose_sender_died_is_sent_by_another_when_its_lease_ends(
    outbox, inbox
) -> None:
    await outbox.add()
    async with outbox.mailer() as mailer:
        # As a process leaves it that is killed between claiming and sending.
        await outbox.connection.execute(
            "UPDATE mail_outbox SET attempts = 1, due_at = now() + interval '1 hour'"
        )
        async with serving(inbox, port_of(outbox)):
            assert not await mailer.step()
            await outbox.connection.execute("UPDATE mail_outbox SET due_at = now()")
            async with mailer.running():
                await outbox.until("sent")
    assert len(inbox.mails) == 1


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE account SET status = 'deleted', deleted_at = now()",
        "UPDATE account SET status = 'inactive'",
        "UPDATE account SET email = 'other@example.com'",
    ],
)
async def test_no_link_is_sent_to_who_is_not_the_owner_any_more(outbox, inbox, change) -> None:
    await outbox.add()
    await outbox.connection.execute(change)
    async with serving(inbox, port_of(outbox)), outbox.mailer() as mailer:
        assert await mailer.step()
    assert await outbox.states() == ["failed"]
    assert inbox.mails == []


async def test_a_mail_to_verify_waits_for_whoever_is_proving_the_address_and_is_dropped(
    outbox, inbox
) -> None:
    """Otherwise, a link would be emailed, and work, after the account's links were invalidated."""
    await outbox.add()
    other = await asyncpg.connect(outbox.config.database_url.get_secret_value())
    async with serving(inbox, port_of(outbox)), outbox.mailer() as mailer:
        async with other.transaction():
            await other.execute("UPDATE account SET verified = true")
            sending = asyncio.create_task(mailer.step())

            async def waits() -> bool:
                return await outbox.connection.fetchval(
                    "SELECT count(*) FROM pg_locks WHERE NOT granted"
                )

            await eventually(waits)
        assert await sending
    await other.close()
    assert (await outbox.states(), inbox.mails) == (["failed"], [])
    assert await outbox.connection.fetchval("SELECT count(*) FROM account_token") == 0


async def test_people_register_while_the_mail_server_is_away(new_database, tmp_path, inbox) -> None:
    port = free_port()
    settings = {
        "smtp_host": "127.0.0.1",
        "smtp_port": port,
        "smtp_security": "none",
        "mail_from": "shop@example.com",
        "mail_retry_seconds": 0.05,
    }
    async with running_world(await new_database("user"), tmp_path, **settings) as world:
        for number in range(3):
            assert (await world.register(f"a{number}@example.com")).status == 201
        async with serving(inbox, port):
            await world.until_mails_are_sent()

            async def are_counted() -> bool:
                text = await (await world.http.get("/metrics")).text()
                return 'mail_attempts_total{outcome="sent",template="verify_email"} 3.0' in text

            await eventually(are_counted)
    assert sorted(mail["To"] for mail in inbox.mails) == [f"a{n}@example.com" for n in range(3)]
