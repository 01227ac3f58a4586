"""A mailbox alone verifies no address: its owner must also have access to the account."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from lib.auth import Role
from tests.conftest import NewDatabase
from tests.services.user.at_provider import Town, running_town
from tests.services.user.cast import actor
from tests.services.user.locks import held, until_waiting
from tests.services.user.software_key import SoftwareKey
from tests.services.user.test_second_factor import add_passkey, refreshed, show, signed
from tests.services.user.test_undo_address import CHANGED
from tests.services.user.world import PASSWORD, Answer, World, bearer

VICTIM, THIEF = "victim@example.com", "mallory@example.com"
OWN = "battery-staple-1"
ME = "/api/v1/users/me"


async def link_to(world: World, address: str = VICTIM) -> str:
    return await world.token("Account verification", address)


async def is_verified(world: World, address: str = VICTIM) -> bool:
    return await world.db.fetchval("SELECT verified FROM account WHERE email = $1", address)


async def move(world: World, session: Any, to: str) -> None:
    changed = await world.call("PATCH", ME, {"email": to}, headers=bearer(session))
    assert changed.status == 200, changed.body


async def press(world: World, token: str, session: Any = None, **more: Any) -> Answer:
    """Press the button of the emailed page, signed in or with a `password` if given."""
    headers = {} if session is None else bearer(session)
    return await world.post("verify", {"token": token, **more}, headers=headers)


async def used(world: World) -> int:
    return await world.db.fetchval("SELECT count(used_at) FROM account_token")


async def test_the_owner_of_a_mailbox_does_not_verify_the_account_of_a_stranger(
    world: World,
) -> None:
    await world.register(VICTIM)  # by a stranger
    refused = await press(world, await link_to(world))
    assert (refused.status, refused.code) == (403, "FORBIDDEN"), refused.body
    for said in ("sign in", "password of the account", "reset its password"):
        assert said in refused.message
    assert (await is_verified(world), await used(world)) == (False, 0)


async def test_a_changed_address_is_not_verified_by_its_mailbox_alone(world: World) -> None:
    await move(world, await world.proved(THIEF), VICTIM)
    assert (await press(world, await link_to(world))).status == 403
    assert not await is_verified(world)


# --- what is no proof -----------------------------------------------------------------------------


async def a_wrong_password(world: World) -> Answer:
    await world.register(VICTIM)
    return await press(world, await link_to(world), password="wrong")


async def the_password_of_another_account(world: World) -> Answer:
    await world.register(VICTIM)
    await world.register("eve@example.com", password=OWN)
    return await press(world, await link_to(world), password=OWN)


async def the_session_of_another_account(world: World) -> Answer:
    await world.register(VICTIM)
    eve = await world.proved("eve@example.com")
    return await press(world, await link_to(world), eve)


async def a_session_that_has_ended(world: World) -> Answer:
    thief = await world.signed_up(VICTIM)
    assert (await world.post("logout", {"refresh_token": thief["refresh_token"]})).status == 204
    return await press(world, await link_to(world), thief)


async def a_password_that_was_changed(world: World) -> Answer:
    thief = await world.signed_up(VICTIM)
    given = {"old_password": PASSWORD, "new_password": OWN}
    changed = await world.call("PATCH", f"{ME}/change-password", given, headers=bearer(thief))
    assert changed.status == 204, changed.body
    return await press(world, await link_to(world), password=PASSWORD)


async def the_password_of_a_deactivated_account(world: World) -> Answer:
    await world.register(VICTIM)
    token = await link_to(world)
    await world.db.execute("UPDATE account SET status = 'inactive'")
    return await press(world, token, password=PASSWORD)


async def a_session_from_before_the_deactivation(world: World) -> Answer:
    thief = await world.signed_up(VICTIM)
    token = await link_to(world)
    admin = await actor(world, Role.ADMIN)
    off = await admin.call("POST", f"/api/v1/users/{thief['user_id']}/deactivate")
    assert off.status in (200, 204), off.body
    return await press(world, token, thief)


async def the_password_where_there_is_none(world: World) -> Answer:
    """An account from an identity provider has `-` instead of a hash."""
    await world.register(VICTIM)
    token = await link_to(world)
    await world.db.execute("UPDATE account SET password_hash = '-'")
    return await press(world, token, password="-")


async def the_password_beside_a_second_factor(world: World) -> Answer:
    thief = await world.proved(THIEF)
    assert (await add_passkey(world, thief, SoftwareKey())).status == 201
    await move(world, thief, VICTIM)
    return await press(world, await link_to(world), password=PASSWORD)


async def the_link_of_another_account(world: World) -> Answer:
    """Another kind of refusal: the link is valid, but belongs to another account."""
    await world.register(VICTIM)
    eve = await world.signed_up("eve@example.com")
    return await press(world, await link_to(world), eve, password=OWN)


@pytest.mark.parametrize(
    "attempt",
    [
        a_wrong_password,
        the_password_of_another_account,
        the_session_of_another_account,
        a_session_that_has_ended,
        a_password_that_was_changed,
        the_password_of_a_deactivated_account,
        a_session_from_before_the_deactivation,
        the_password_where_there_is_none,
        the_password_beside_a_second_factor,
        the_link_of_another_account,
    ],
    ids=lambda attempt: attempt.__name__,
)
async def test_a_caller_who_does_not_hold_the_account_verifies_and_spends_nothing(
    world: World, attempt: Callable[[World], Awaitable[Answer]]
) -> None:
    refused = await attempt(world)
    assert (refused.status, refused.code) == (403, "FORBIDDEN"), refused.body
    assert not await is_verified(world)
    spent = "SELECT count(used_at) FROM account_token WHERE kind = 'verify_email' AND email = $1"
    assert await world.db.fetchval(spent, VICTIM) == 0
    assert await world.audited("email.verified") == 0


@pytest.mark.parametrize("password", ["", "x" * 1001, 7, ["a"]])
async def test_a_password_that_is_none_is_a_400(world: World, password: Any) -> None:
    await world.register(VICTIM)
    answer = await press(world, await link_to(world), password=password)
    assert (answer.status, answer.fields) == (400, {"password"})


# --- what is one ----------------------------------------------------------------------------------


async def test_the_password_verifies_without_a_session_also_after_a_refusal(world: World) -> None:
    await world.register(VICTIM)
    token = await link_to(world)
    for _ in range(3):
        assert (await press(world, token)).status == 403
    assert (await press(world, token, password=PASSWORD)).status == 204
    assert await is_verified(world)
    assert (await press(world, token, password=PASSWORD)).status == 409


async def test_the_password_verifies_beside_the_session_of_another_account(world: World) -> None:
    await world.register(VICTIM)
    eve = await world.proved("eve@example.com")
    assert (await press(world, await link_to(world), eve, password=PASSWORD)).status == 204


async def test_the_own_session_is_enough_whatever_the_password(world: World) -> None:
    session = await world.signed_up(VICTIM)
    assert (await press(world, await link_to(world), session, password="wrong")).status == 204


async def test_a_changed_address_is_verified_by_the_password_or_the_session(
    world: World, subtests
) -> None:
    for number in range(2):
        with subtests.test(number=number):
            address, to = f"ann{number}@example.com", f"new{number}@example.com"
            session = await world.proved(address)
            await move(world, session, to)
            token = await link_to(world, to)
            proof = {"session": session} if number else {"password": PASSWORD}
            assert (await press(world, token, **proof)).status == 204
            assert await is_verified(world, to)


async def test_a_verified_address_asks_for_nothing(world: World) -> None:
    """The user opens the second of two emails; no password is compared or counted."""
    session = await world.signed_up(VICTIM)
    await world.post("resend-verification", {"email": VICTIM})
    first, second = await link_to(world), await link_to(world)
    assert (await press(world, first, session)).status == 204
    assert (await press(world, second, password="wrong")).status == 204
    assert await world.audited("email.verification_refused") == 0


# --- guessing -------------------------------------------------------------------------------------


async def test_passwords_are_guessed_by_a_link_no_more_often_than_by_logins(world: World) -> None:
    await world.register(VICTIM)
    token = await link_to(world)
    for _ in range(3):
        assert (await press(world, token, password="wrong")).status == 403
    for _ in range(2):
        assert (await world.login(VICTIM, "wrong")).status == 401
    for last in (await press(world, token, password=PASSWORD), await world.login(VICTIM)):
        assert (last.status, last.code) == (429, "RATE_LIMIT_EXCEEDED")
        assert int(last.headers["Retry-After"]) > 800
    assert not await is_verified(world)
    assert await world.audited("email.verification_refused") == 3


async def test_guesses_at_once_are_counted_before_they_are_compared(world: World) -> None:
    await world.register(VICTIM)
    token = await link_to(world)
    answers = await asyncio.gather(*(press(world, token, password="wrong") for _ in range(12)))
    assert sorted(answer.status for answer in answers) == [403] * 5 + [429] * 7


async def test_a_right_password_clears_the_count_as_a_login_does(world: World) -> None:
    await world.register(VICTIM)
    token = await link_to(world)
    for _ in range(4):
        assert (await press(world, token, password="wrong")).status == 403
    assert (await press(world, token, password=PASSWORD)).status == 204
    answers = [await world.login(VICTIM, "wrong") for _ in range(5)]
    assert {answer.status for answer in answers} == {401}


async def test_an_invented_token_costs_no_hash_and_no_attempt(world: World) -> None:
    await world.register(VICTIM)
    for _ in range(6):
        assert (await press(world, "x" * 43, password="wrong")).status == 401
    assert (await world.login(VICTIM)).status == 200


# --- accounts without a password ------------------------------------------------------------------


@pytest.fixture
async def town(new_database: NewDatabase, tmp_path: Path) -> AsyncIterator[Town]:
    async with running_town(await new_database("user"), tmp_path) as town:
        yield town


async def test_an_account_of_a_provider_is_verified_by_its_session_or_reset(town: Town) -> None:
    town.two.user["email"] = VICTIM
    session = (await town.browser().sign_in(town.two, "two")).data
    token = await link_to(town.world)
    for proof in ({}, {"password": PASSWORD}):
        assert (await press(town.world, token, **proof)).status == 403
    assert (await press(town.world, token, session)).status == 204
    assert await is_verified(town.world)


async def test_the_mailbox_takes_an_account_that_a_provider_opened_by_a_reset(town: Town) -> None:
    town.two.user["email"] = VICTIM
    await town.browser().sign_in(town.two, "two")
    assert (await press(town.world, await link_to(town.world))).status == 403
    assert (await town.world.post("password/forgot", {"email": VICTIM})).status == 204
    reset = {"token": await town.world.token("Password reset", VICTIM), "new_password": OWN}
    assert (await town.world.post("password/reset", reset)).status == 204
    assert (await town.world.login(VICTIM, OWN)).data["verified"] is True
    assert await town.count("identity") == 0


async def test_an_account_with_a_passkey_and_no_password_verifies_with_its_factor(
    town: Town,
) -> None:
    world, key = town.world, SoftwareKey("https://shop.example.com", "shop.example.com")
    session = (await town.browser().sign_in(town.one)).data
    assert (await add_passkey(world, session, key)).status == 201
    await move(world, session, VICTIM)
    token = await link_to(world)
    assert (await press(world, token)).status == 403
    assert (await press(world, token, password="-")).status == 403
    alone = (await town.browser().sign_in(town.one)).data
    assert (await press(world, token, alone)).status == 403
    assert await show(world, alone, passkey=await signed(world, alone, key)) == 204
    assert (await press(world, token, await refreshed(world, alone))).status == 204


async def invite(world: World, address: str) -> Any:
    admin = await actor(world, Role.ADMIN)
    new = {"email": address, "first_name": "Ann", "last_name": "Lee", "role": "STAFF"}
    added = await admin.call("POST", "/api/v1/users", new)
    assert added.status == 201, added.body
    return admin, added.data["id"]


async def test_an_invited_user_gets_one_link_which_sets_the_password(world: World) -> None:
    await invite(world, VICTIM)
    # A link to verify would ask for a password that there is not yet.
    assert (await world.post("resend-verification", {"email": VICTIM})).status == 204
    await world.until_mails_are_sent()
    mails = await world.db.fetch("SELECT template FROM mail_outbox WHERE recipient = $1", VICTIM)
    assert [mail["template"] for mail in mails] == ["invitation"]
    reset = {"token": await world.token("Your account", VICTIM), "new_password": OWN}
    assert (await world.post("password/reset", reset)).status == 204
    assert (await world.login(VICTIM, OWN)).data["verified"] is True


async def test_an_invitation_follows_to_an_address_that_was_corrected(world: World) -> None:
    admin, invited = await invite(world, "vicitm@example.com")
    misspelt = await world.token("Your account", "vicitm@example.com")
    changed = await admin.call("PATCH", f"/api/v1/users/{invited}", {"email": VICTIM})
    assert changed.status == 200, changed.body
    taken = await world.post("password/reset", {"token": misspelt, "new_password": OWN})
    assert taken.status in (401, 409)
    reset = {"token": await world.token("Your account", VICTIM), "new_password": OWN}
    assert (await world.post("password/reset", reset)).status == 204
    assert (await world.login(VICTIM, OWN)).data["verified"] is True


# --- at once --------------------------------------------------------------------------------------


async def test_a_password_that_changes_while_it_is_compared_verifies_nothing(world: World) -> None:
    await world.register(VICTIM)
    token = await link_to(world)
    async with held(world.db):
        pressed = asyncio.create_task(press(world, token, password=PASSWORD))
        await until_waiting(world.db, 1)
        await world.db.execute("UPDATE account SET password_hash = 'another'")
    assert (await pressed).status == 403
    assert (await is_verified(world), await used(world)) == (False, 0)


@pytest.mark.parametrize("first", ["verify", "password/reset"])
async def test_a_reset_and_a_verification_at_once_come_one_after_the_other(
    world: World, first: str
) -> None:
    """In either order, the stranger's password gives no access after the reset."""
    await world.register(VICTIM)
    verify = {"token": await link_to(world), "password": PASSWORD}
    await world.post("password/forgot", {"email": VICTIM})
    reset = {"token": await world.token("Password reset", VICTIM), "new_password": OWN}
    requests = [("verify", verify), ("password/reset", reset)]
    requests.sort(key=lambda one: one[0] != first)
    async with held(world.db):
        tasks = []
        for number, (path, body) in enumerate(requests):
            tasks.append(asyncio.create_task(world.post(path, body)))
            await until_waiting(world.db, number + 1)
    done = {path: await task for (path, _), task in zip(requests, tasks, strict=True)}
    assert done["password/reset"].status == 204, done["password/reset"].body
    if first == "verify":
        assert done["verify"].status == 204, done["verify"].body
    else:
        assert done["verify"].message == "the token was already used"
    assert (await world.login(VICTIM)).status == 401
    assert (await world.login(VICTIM, OWN)).data["verified"] is True


async def test_an_undo_and_a_verification_at_once_do_not_block_one_another(world: World) -> None:
    session = await world.proved(THIEF)
    await move(world, session, VICTIM)
    verify = {"token": await link_to(world)}
    undo = {"token": await world.token(CHANGED, THIEF)}
    async with held(world.db):
        undone = asyncio.create_task(world.post("email/undo", undo))
        await until_waiting(world.db, 1)
        pressed = asyncio.create_task(world.post("verify", verify, headers=bearer(session)))
        await until_waiting(world.db, 2)
    assert ((await undone).status, (await pressed).status) == (204, 409)
    # Not the conflict of two transactions that wait for each other.
    assert (await pressed).message == "the token was already used"
    assert await is_verified(world, THIEF)
