"""No one can lock another user out: a stranger uses up only their own allowance."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterable
from typing import Any

import pytest

from tests.services.user.world import PASSWORD, bearer

EMAIL = "ann@example.com"
NEW = "battery-staple-8"
DEVICE = "__Host-device_token"


@pytest.fixture
def settings():
    # A small crowd will do: each guess costs a hash.
    return {"login_account_attempts": 10}


def from_(address: str, **cookies: str) -> dict[str, Any]:
    """Return the header with which the gateway forwards a client of the address."""
    return {"headers": {"X-Forwarded-For": address}, "cookies": cookies}


STRANGER, OWNER = from_("192.0.2.1"), from_("192.0.2.2")


async def guess(world, addresses: Iterable[str], times: int, email: str = EMAIL) -> list[int]:
    """Return the response to a stranger who tries wrong passwords from those addresses."""
    answers = [
        await world.login(email, "wrong", **from_(address))
        for address in addresses
        for _ in range(times)
    ]
    return [answer.status for answer in answers]


def crowd(size: int) -> list[str]:
    return [f"198.51.100.{number}" for number in range(size)]


async def test_attempts_at_once_count_no_more_than_those_that_are_admitted(world) -> None:
    await world.register()
    await world.db.execute("DELETE FROM attempt")  # registering has counts of its own
    answers = await asyncio.gather(
        *(world.login(password="wrong", **STRANGER) for _ in range(30)),
        *(world.login("bob@example.com", "wrong", **STRANGER) for _ in range(30)),
    )
    assert sorted(answer.status for answer in answers) == [401] * 10 + [429] * 50
    counts = await world.db.fetch("SELECT attempts FROM attempt ORDER BY attempts")
    # Two pairs, two accounts, one address.
    assert [row["attempts"] for row in counts] == [5, 5, 5, 5, 10]


async def test_against_a_crowd_the_owner_gets_in_with_a_device_they_have_used(world) -> None:
    await world.register()
    first = await world.login(**OWNER)
    device = first.cookies[DEVICE]
    assert (device["httponly"], device["secure"], device["path"]) == (True, True, "/")
    assert first.data["device_token"] == device.value
    assert 429 in await guess(world, crowd(3), 5)
    assert (await world.login(**from_("192.0.2.3"))).status == 429, "an unknown device"
    by_cookie = await world.login(**from_("192.0.2.3", **{DEVICE: device.value}))
    assert by_cookie.status == 200
    # A success clears: from now on the account is open to others again, until they guess too often.
    assert 429 in await guess(world, crowd(3), 5)
    by_body = await world.post(
        "login", {"email": EMAIL, "password": PASSWORD, "device_token": device.value}, **OWNER
    )
    assert by_body.status == 200


async def test_a_known_device_has_few_guesses_as_well(world) -> None:
    await world.register()
    device = (await world.login(**OWNER)).data["device_token"]
    stolen = [from_(address, **{DEVICE: device}) for address in crowd(8)]
    answers = [await world.login(password="wrong", **way) for way in stolen]
    assert [answer.status for answer in answers] == [401] * 5 + [429] * 3
    assert (await world.login(**OWNER)).status == 200, "without it, it is nobody's allowance"


@pytest.mark.parametrize("what", ["somebody else's", "changed", "cut", "invented", "old"])
async def test_a_device_is_known_only_to_its_own_account(world, what) -> None:
    await world.register()
    await world.register("bob@example.com")
    own = (await world.login(**OWNER)).data["device_token"]
    device = {
        "somebody else's": (await world.login("bob@example.com", **OWNER)).data["device_token"],
        "changed": own[:-1] + ("0" if own[-1] != "0" else "1"),
        "cut": own.rpartition(".")[0],
        "invented": "é.0.0",
        "old": own,
    }[what]
    if what == "old":
        name, issued, mac = own.split(".")
        device = f"{name}.{int(issued) - 1}.{mac}"
    assert 429 in await guess(world, crowd(3), 5)
    body = {"email": EMAIL, "password": PASSWORD, "device_token": device}
    assert (await world.post("login", body, **from_("192.0.2.3"))).status == 429


@pytest.mark.parametrize("settings", [{"login_account_attempts": 5, "device_seconds": 1}])
async def test_a_device_is_forgotten_in_time(world) -> None:
    await world.register()
    device = (await world.login(**OWNER)).data["device_token"]
    async with asyncio.timeout(60):
        fresh = (f"198.51.{net}.1" for net in range(256))
        while (await world.login(**from_("192.0.2.3", **{DEVICE: device}))).status == 200:
            # Each success forgives the account; addresses that have not guessed lock it again.
            # With the device known no more it stays locked.
            assert 429 in await guess(world, itertools.islice(fresh, 2), 5)


async def test_against_a_crowd_the_owner_gets_in_by_a_mailed_link(world) -> None:
    await world.register()
    assert 429 in await guess(world, crowd(3), 5)
    assert (await world.post("password/forgot", {"email": EMAIL}, **OWNER)).status == 204
    reset = {"token": await world.token("Password reset"), "new_password": NEW}
    done = await world.post("password/reset", reset, **OWNER)
    assert done.status == 204
    # A reset clears, and who had the mail has a device from now on, however many guess meanwhile.
    assert (await world.login(password=NEW, **from_("192.0.2.4"))).status == 200
    assert 429 in await guess(world, crowd(3), 5)
    device = {DEVICE: done.cookies[DEVICE].value}
    assert (await world.login(password=NEW, **from_("192.0.2.5", **device))).status == 200


@pytest.mark.parametrize("settings", [{"login_address_attempts": 6}])
async def test_an_address_that_tries_many_accounts_locks_out_no_known_device_behind_it(
    world,
) -> None:
    await world.register()
    device = (await world.login(**STRANGER)).data["device_token"]
    for number in range(7):
        await world.login(f"x{number}@example.com", "wrong", **STRANGER)
    assert (await world.login(**STRANGER)).status == 429
    assert (await world.login(**from_("192.0.2.1", **{DEVICE: device}))).status == 200


@pytest.mark.parametrize("path", ["password/forgot", "resend-verification"])
async def test_a_stranger_who_asks_for_mails_leaves_the_owner_some(world, path) -> None:
    session = await world.signed_up()
    ask, also = {"email": EMAIL}, {"email": EMAIL.upper()}  # one address, however it is spelled
    answers = [await world.post(path, ask if n % 2 else also, **STRANGER) for n in range(30)]
    assert [answer.status for answer in answers] == [204] * 3 + [429] * 27
    assert (await world.post(path, ask, **OWNER)).status == 204
    # A crowd uses up what strangers may ask for together; the owner is none.
    for address in crowd(4):
        for _ in range(3):
            await world.post(path, ask, **from_(address))
    assert (await world.post(path, ask, **from_("192.0.2.3"))).status == 429
    if path == "password/forgot":
        known = from_("192.0.2.3", **{DEVICE: session["device_token"]})
    else:
        known = {"headers": bearer(session)}
    assert (await world.post(path, ask, **known)).status == 204


async def test_a_reset_gives_back_what_strangers_asked_for(world) -> None:
    await world.register()
    for address in crowd(4):
        for _ in range(3):
            await world.post("password/forgot", {"email": EMAIL}, **from_(address))
    assert (await world.post("password/forgot", {"email": EMAIL}, **OWNER)).status == 429
    # The mails went to the owner, though, and their links work.
    reset = {"token": await world.token("Password reset"), "new_password": NEW}
    assert (await world.post("password/reset", reset, **OWNER)).status == 204
    assert (await world.post("password/forgot", {"email": EMAIL}, **OWNER)).status == 204


@pytest.mark.parametrize("settings", [{"mails_per_client": 5}])
async def test_one_address_cannot_have_mails_sent_to_everybody(world) -> None:
    answers = [
        await world.post("password/forgot", {"email": f"x{n}@example.com"}, **STRANGER)
        for n in range(7)
    ]
    assert [answer.status for answer in answers] == [204] * 5 + [429] * 2


async def test_who_has_stolen_a_session_cannot_keep_the_owner_from_changing_the_password(
    world,
) -> None:
    stolen, own = await world.signed_up(), (await world.login()).data
    path = "/api/v1/users/me/change-password"
    for _ in range(8):
        wrong = {"old_password": "wrong", "new_password": NEW}
        await world.call("PATCH", path, wrong, headers=bearer(stolen))
    right = {"old_password": PASSWORD, "new_password": NEW}
    assert (await world.call("PATCH", path, right, headers=bearer(stolen))).status == 429
    assert (await world.call("PATCH", path, right, headers=bearer(own))).status == 204
