"""The owner is notified of a sign-in with a stolen password."""

from __future__ import annotations

from typing import Any

from services.user.service.devices import COOKIE
from tests.services.user.test_lockout import STRANGER
from tests.services.user.world import World

EMAIL = "ann@example.com"
SUBJECT = "A sign-in from a new device"


async def told(world: World) -> int:
    return await world.db.fetchval("SELECT count(*) FROM mail_outbox WHERE template = 'new_device'")


async def proved(world: World) -> None:
    await world.register()
    await world.db.execute("UPDATE account SET verified = true")


async def test_a_sign_in_from_a_new_device_is_told_to_the_owner(world: World) -> None:
    await proved(world)
    first = await world.login()
    assert "UTC" in await world.mail(SUBJECT)
    # The owner's own device is known from then on, by its cookie or its token.
    known: dict[str, Any] = {"cookies": {COOKIE: first.data["device_token"]}}
    assert (await world.login(**known)).status == 200
    assert await told(world) == 1
    # The thief has the password, not the device.
    assert (await world.login(**STRANGER)).status == 200
    await world.mail(SUBJECT)
    assert await told(world) == 2


async def test_neither_a_wrong_password_nor_an_address_that_nobody_proved_is_told_of(
    world: World,
) -> None:
    await world.register()
    assert (await world.login()).status == 200
    await world.db.execute("UPDATE account SET verified = true")
    assert (await world.login(password="wrong", **STRANGER)).status == 401
    assert await told(world) == 0


async def test_who_keeps_no_device_is_not_written_to_all_day(world: World) -> None:
    await proved(world)
    for _ in range(8):
        assert (await world.login()).status == 200
    assert await told(world) == 3
