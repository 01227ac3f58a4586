"""No one can make us email strangers repeatedly, or delay other users' emails."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest

from tests.services.user.test_lockout import STRANGER, from_
from tests.services.user.test_mailer import (  # noqa: F401 - `outbox` is a fixture
    Inbox,
    Outbox,
    outbox,
    port_of,
    serving,
)
from tests.services.user.world import PASSWORD, bearer

ME = "/api/v1/users/me"
VICTIM = "victim@example.com"


async def mails_to(world, address: str) -> int:
    return await world.db.fetchval(
        "SELECT count(*) FROM mail_outbox WHERE lower(recipient) = lower($1)", address
    )


async def change_address(world, session: Any, address: str) -> int:
    answer = await world.call("PATCH", ME, {"email": address}, headers=bearer(session))
    return answer.status


async def test_an_address_cannot_be_toggled_to_write_to_a_stranger(world) -> None:
    session = await world.signed_up("mallory@example.com")
    statuses = [
        await change_address(world, session, address)
        for _ in range(10)
        for address in (VICTIM, "Victim@example.com", "mallory@example.com")
    ]
    assert set(statuses) == {200, 429}
    # Each of the two may be written to once in a while: to prove the address, and nothing else.
    assert await mails_to(world, VICTIM) <= 2
    assert await mails_to(world, "mallory@example.com") <= 3


async def test_many_accounts_together_write_no_more_to_one_stranger(world) -> None:
    for number in range(6):
        session = await world.signed_up(f"mallory-{number}@example.com")
        await change_address(world, session, VICTIM)
        await change_address(world, session, f"elsewhere-{number}@example.com")
    assert await mails_to(world, VICTIM) <= 3


async def test_another_spelling_is_the_same_address_and_stays_proved(world) -> None:
    session = await world.signed_up()
    await world.db.execute("UPDATE account SET verified = true")
    before = await mails_to(world, "ann@example.com")
    assert await change_address(world, session, "Ann@Example.com") == 200
    me = (await world.call("GET", ME, headers=bearer(session))).data
    assert (me["email"], me["verified"]) == ("Ann@Example.com", True)
    assert await mails_to(world, "ann@example.com") == before


async def test_an_address_that_nobody_proved_gets_no_notices(world) -> None:
    """A person who registers with a stranger's address must not be able to send emails to it."""
    session = await world.signed_up(VICTIM)
    words = [PASSWORD, "battery-staple-1", "battery-staple-2", "battery-staple-3"]
    for old, new in pairwise(words):
        body = {"old_password": old, "new_password": new}
        path = f"{ME}/change-password"
        assert (await world.call("PATCH", path, body, headers=bearer(session))).status == 204
        session = (await world.login(VICTIM, new)).data
    assert await change_address(world, session, "mallory@example.com") == 200
    assert await mails_to(world, VICTIM) == 1  # to prove it, at the registration


async def test_an_account_that_is_deleted_and_made_anew_writes_no_more(world) -> None:
    statuses = []
    for _ in range(6):
        statuses.append((await world.register(VICTIM)).status)
        login = await world.login(VICTIM)
        if login.status == 200:
            await world.call("DELETE", ME, headers=bearer(login.data))
    assert statuses == [201] * 3 + [429] * 3
    assert len(list(world.mails.glob("*.eml"))) <= 3  # and none that waited when it was deleted
    assert await mails_to(world, VICTIM) == 0


@pytest.mark.parametrize("settings", [{"mails_per_client": 3}])
async def test_one_client_registers_only_so_many_strangers(world) -> None:
    answers = [await world.register(f"x{number}@example.com") for number in range(5)]
    assert [answer.status for answer in answers] == [201] * 3 + [429] * 2
    assert int(answers[-1].headers["Retry-After"]) > 0
    body = {"email": "y@example.com"}
    assert (await world.post("password/forgot", body, **STRANGER)).status == 204


async def test_a_crowd_registers_one_address_only_so_often(world) -> None:
    """A crowd learns nothing by trying either: a refusal for a used address counts as well."""
    statuses = []
    for number in range(12):
        answer = await world.call(
            "POST",
            "/api/v1/auth/register/customer",
            {
                "email": VICTIM, "phone_number": "995555123456", "first_name": "Ann",
                "last_name": "X", "password": PASSWORD,
            },
            **from_(f"198.51.100.{number}"),
        )  # fmt: skip
        statuses.append(answer.status)
    assert statuses == [201] + [409] * 9 + [429] * 2


async def test_a_reset_is_not_behind_a_thousand_verifications(
    outbox: Outbox,  # noqa: F811 - the fixture
) -> None:
    for number in range(50):
        await outbox.add(address=f"a{number}@example.com")
    await outbox.add("reset_password", "ann@example.com")
    inbox = Inbox()
    async with serving(inbox, port_of(outbox)), outbox.mailer() as mailer:
        for _ in range(10):
            assert await mailer.step()
    assert "Password reset" in inbox.subjects
    assert inbox.subjects.count("Account verification") == 9, "others are sent as well"


async def test_nor_is_a_verification_behind_the_resets_that_a_crowd_asks_for(
    outbox: Outbox,  # noqa: F811 - the fixture
) -> None:
    for number in range(20):
        await outbox.add("reset_password", f"a{number}@example.com")
    await outbox.add(address="ann@example.com")
    inbox = Inbox()
    async with serving(inbox, port_of(outbox)), outbox.mailer() as mailer:
        for _ in range(10):
            assert await mailer.step()
    assert "Account verification" in inbox.subjects


async def test_a_slow_delivery_does_not_hold_up_the_next(
    outbox: Outbox,  # noqa: F811 - the fixture
) -> None:
    """The server responds to three emails only when it has all of them."""
    for number in range(3):
        await outbox.add(address=f"a{number}@example.com")
    together = asyncio.Barrier(3)
    inbox = Inbox()
    loop = asyncio.get_running_loop()

    class Holding(Inbox):
        async def handle_DATA(self, *given: Any) -> str:
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(together.wait(), loop))
            return await inbox.handle_DATA(*given)

    async with (
        serving(Holding(), port_of(outbox)),
        outbox.mailer() as mailer,
        mailer.running(),
    ):
        await outbox.until("sent", "sent", "sent")
    assert len(inbox.mails) == 3
