"""The mailbox of a changed, unverified address can return it, but takes over no account."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from lib.auth import Role
from lib.auth.opaque import digest
from tests.services.user.cast import actor
from tests.services.user.locks import held, until_waiting
from tests.services.user.test_second_factor import enrol, refreshed
from tests.services.user.test_undo_address import CHANGED, ME, move, undo
from tests.services.user.world import PASSWORD, World, bearer

VICTIM, THIEF, THIRD = "victim@example.com", "mallory@example.com", "third@example.com"
OWN = "battery-staple-1"
RELEASE = "Your address at another account"


async def ask_reset(world: World, address: str = VICTIM) -> None:
    assert (await world.post("password/forgot", {"email": address})).status == 204
    await world.until_mails_are_sent()


async def release_link(world: World, address: str = VICTIM) -> str:
    """Return the token that the owner of a mailbox gets by a password reset."""
    await ask_reset(world, address)
    return await world.token(RELEASE, address)


async def mailed(world: World, address: str) -> list[str]:
    query = "SELECT template FROM mail_outbox WHERE recipient = $1 ORDER BY created_at, id"
    return [row["template"] for row in await world.db.fetch(query, address)]


async def addresses(world: World) -> list[tuple[str, bool]]:
    rows = await world.db.fetch("SELECT email, verified FROM account ORDER BY created_at, id")
    return [tuple(row) for row in rows]


async def verified(world: World, session: Any, address: str) -> Any:
    """Verify the present address with the session; return its next tokens."""
    link = {"token": await world.token("Account verification", address)}
    assert (await world.post("verify", link, headers=bearer(session))).status == 204
    return await refreshed(world, session)


async def aged(world: World, days: int) -> None:
    """Move each change of an address some days into the past."""
    for table, column in (("former_address", "changed_at"), ("account_token", "expires_at")):
        past = f"UPDATE {table} SET {column} = {column} - make_interval(days => $1)"
        await world.db.execute(past, days)


async def reset(world: World, address: str) -> None:
    given = {"token": await world.token("Password reset", address), "new_password": OWN}
    done = await world.post("password/reset", given)
    assert done.status == 204, done.body


async def test_an_undo_does_not_take_an_account_from_the_owner_of_its_address(
    world: World,
) -> None:
    """The stranger verified an address, changed it to the victim's, and kept the link to undo."""
    thief = await world.proved(THIEF)
    assert await move(world, thief, VICTIM) == 200
    kept = await world.token(CHANGED, THIEF)
    # The victim asks for another password, and uses whatever account the address then has.
    await ask_reset(world)
    if "reset_password" in await mailed(world, VICTIM):
        await reset(world, VICTIM)
    else:
        assert await undo(world, await world.token(RELEASE, VICTIM)) == 204
        assert (await world.register(VICTIM, password=OWN)).status == 201
    mine = (await world.login(VICTIM, OWN)).data["user_id"]
    await undo(world, kept)
    assert (await world.login(VICTIM, OWN)).data["user_id"] == mine


async def test_an_address_is_free_once_its_mailbox_has_given_it_back(world: World) -> None:
    thief = await world.proved(THIEF)
    assert await move(world, thief, VICTIM) == 200
    assert (await world.register(VICTIM)).status == 409
    link = await release_link(world)
    assert await mailed(world, VICTIM) == ["verify_email", "address_release"]
    assert await undo(world, link) == 204
    assert await addresses(world) == [(THIEF, True)]
    # As with any undo: all sessions end, the password is void, and the owner gets an email.
    gone = await world.post("refresh", {"refresh_token": thief["refresh_token"]})
    assert gone.status == 401
    assert (await world.login(THIEF)).status == 401
    await reset(world, THIEF)
    assert (await world.login(THIEF, OWN)).status == 200
    assert (await world.register(VICTIM)).status == 201
    assert await undo(world, link) == 409
    assert await world.audited("email.restored") == 1


async def test_a_factor_from_before_the_change_stays_with_the_former_address(world: World) -> None:
    thief = await world.proved(THIEF)
    await enrol(world, thief)
    assert await move(world, await refreshed(world, thief), VICTIM) == 200
    assert await undo(world, await release_link(world)) == 204
    await reset(world, THIEF)
    assert (await world.login(THIEF, OWN)).data["second_factor_wanted"] is True


# --- links that do not hold -----------------------------------------------------------------------


async def it_was_verified_meanwhile(world: World, session: Any) -> None:
    proof = {"token": await world.token("Account verification", VICTIM), "password": PASSWORD}
    assert (await world.post("verify", proof)).status == 204


async def it_was_changed_meanwhile(world: World, session: Any) -> None:
    assert await move(world, session, THIRD) == 200


async def it_was_undone_meanwhile(world: World, session: Any) -> None:
    assert await undo(world, await world.token(CHANGED, THIEF)) == 204


async def the_account_was_deactivated(world: World, session: Any) -> None:
    await world.db.execute("UPDATE account SET status = 'inactive'")


async def the_account_was_deleted(world: World, session: Any) -> None:
    assert (await world.call("DELETE", ME, headers=bearer(session))).status == 204


async def its_hour_is_over(world: World, session: Any) -> None:
    await world.db.execute("UPDATE account_token SET expires_at = expires_at - interval '61 min'")


async def the_week_is_over(world: World, session: Any) -> None:
    await world.db.execute("UPDATE former_address SET changed_at = now() - interval '8 days'")


@pytest.mark.parametrize(
    "meanwhile",
    [
        it_was_verified_meanwhile,
        it_was_changed_meanwhile,
        it_was_undone_meanwhile,
        the_account_was_deactivated,
        the_account_was_deleted,
        its_hour_is_over,
        the_week_is_over,
    ],
    ids=lambda meanwhile: meanwhile.__name__,
)
async def test_a_link_to_give_back_does_not_outlive_what_it_is_for(
    world: World, meanwhile: Callable[[World, Any], Awaitable[None]]
) -> None:
    session = await world.proved(THIEF)
    assert await move(world, session, VICTIM) == 200
    link = await release_link(world)
    await meanwhile(world, session)
    before = await addresses(world)
    assert await undo(world, link) == 401
    assert await addresses(world) == before


async def test_a_link_to_give_back_is_for_nothing_else(world: World) -> None:
    assert await move(world, await world.proved(THIEF), VICTIM) == 200
    link = await release_link(world)
    verify = await world.post("verify", {"token": link, "password": PASSWORD})
    taken = await world.post("password/reset", {"token": link, "new_password": OWN})
    assert (verify.status, taken.status) == (401, 401)
    assert await undo(world, link) == 204


async def test_no_link_sets_a_password_while_the_change_can_be_undone(world: World) -> None:
    """This includes a link in an email that was queued when the address changed back."""
    assert await move(world, await world.proved(THIEF), VICTIM) == 200
    add = """
    INSERT INTO account_token (hash, kind, account_id, email, expires_at)
    SELECT $1, 'reset_password', id, email, now() + interval '1 hour' FROM account"""
    await world.db.execute(add, digest("t" * 43))
    given = {"token": "t" * 43, "new_password": OWN}
    refused = await world.post("password/reset", given)
    assert (refused.status, refused.code) == (403, "FORBIDDEN")
    assert "request another password reset" in refused.message
    assert await addresses(world) == [(VICTIM, False)]
    assert (await world.login(VICTIM)).status == 200
    # The token is not spent: once the week is over it works.
    await world.db.execute("UPDATE former_address SET changed_at = now() - interval '8 days'")
    assert (await world.post("password/reset", given)).status == 204


# --- who keeps the account ------------------------------------------------------------------------


async def test_after_the_week_a_reset_takes_the_account_and_no_link_takes_it_back(
    world: World,
) -> None:
    assert await move(world, await world.proved(THIEF), VICTIM) == 200
    kept = await world.token(CHANGED, THIEF)
    await aged(world, 8)
    await ask_reset(world)
    await reset(world, VICTIM)
    assert await undo(world, kept) == 401
    assert (await world.login(VICTIM, OWN)).data["verified"] is True


async def test_an_owner_gets_the_account_back_from_a_thief_who_resets_it(world: World) -> None:
    """The thief has verified their own mailbox with the stolen session."""
    owner = await world.proved("ann@example.com")
    assert await move(world, owner, THIEF) == 200
    await verified(world, owner, THIEF)
    await ask_reset(world, THIEF)
    await reset(world, THIEF)
    assert (await world.login(THIEF, OWN)).status == 200
    assert await undo(world, await world.token(CHANGED, "ann@example.com")) == 204
    assert await addresses(world) == [("ann@example.com", True)]
    assert (await world.login(THIEF, OWN)).status == 401


async def test_a_thief_who_asks_for_a_reset_gives_the_account_back_to_its_owner(
    world: World,
) -> None:
    owner = await world.proved("ann@example.com")
    assert await move(world, owner, THIEF) == 200
    assert await undo(world, await release_link(world, THIEF)) == 204
    assert await addresses(world) == [("ann@example.com", True)]
    assert (await world.login("ann@example.com")).status == 401
    await reset(world, "ann@example.com")


async def test_the_last_of_several_changes_is_given_back_and_the_first_can_be_undone(
    world: World,
) -> None:
    session = await world.proved("ann@example.com")
    assert await move(world, session, THIEF) == 200
    session = await verified(world, session, THIEF)
    assert await move(world, session, VICTIM) == 200
    assert await undo(world, await release_link(world)) == 204
    assert await addresses(world) == [(THIEF, True)]
    # The stranger's link has done what it is for; the owner's, from before, still works.
    assert await undo(world, await world.token(CHANGED, THIEF)) == 401
    assert await undo(world, await world.token(CHANGED, "ann@example.com")) == 204
    assert await addresses(world) == [("ann@example.com", True)]


async def test_an_unverified_address_in_between_is_not_restored(world: World) -> None:
    session = await world.proved(THIEF)
    assert await move(world, session, THIRD) == 200
    assert await move(world, session, VICTIM) == 200
    assert await undo(world, await release_link(world)) == 204
    assert await addresses(world) == [(THIEF, True)]


async def test_an_owner_who_returns_to_a_verified_address_restores_it(world: World) -> None:
    session = await world.proved(THIEF)
    assert await move(world, session, THIRD) == 200
    session = await verified(world, session, THIRD)
    assert await move(world, session, THIEF) == 200
    assert await undo(world, await release_link(world, THIEF)) == 204
    assert await addresses(world) == [(THIEF, True)]


async def test_an_owner_who_returns_at_once_resets_the_password_as_usual(world: World) -> None:
    session = await world.proved(THIEF)
    assert await move(world, session, THIRD) == 200
    assert await move(world, session, THIEF) == 200
    await ask_reset(world, THIEF)
    await reset(world, THIEF)
    assert await addresses(world) == [(THIEF, True)]
    # The password that was set by mail stays: no former address has a way back any more.
    assert await undo(world, await world.token(CHANGED, THIEF)) == 401
    assert (await world.login(THIEF, OWN)).status == 200


async def test_an_unverified_former_address_prevents_no_reset(world: World) -> None:
    assert await move(world, await world.signed_up(THIEF), VICTIM) == 200
    await ask_reset(world)
    await reset(world, VICTIM)
    assert (await world.login(VICTIM, OWN)).data["verified"] is True


async def test_an_address_that_an_administrator_entered_is_given_back_as_well(
    world: World,
) -> None:
    await world.proved(THIEF)
    account = await world.db.fetchval("SELECT id FROM account")
    admin = await actor(world, Role.ADMIN)
    changed = await admin.call("PATCH", f"/api/v1/users/{account}", {"email": VICTIM})
    assert changed.status == 200, changed.body
    assert await undo(world, await release_link(world)) == 204
    assert (THIEF, True) in await addresses(world)


# --- what others learn, and do at once ------------------------------------------------------------


async def test_a_reset_does_not_reveal_whose_address_was_changed(world: World) -> None:
    assert await move(world, await world.proved(THIEF), VICTIM) == 200
    await world.proved("ann@example.com")
    seen = []
    for address in (VICTIM, "ann@example.com", THIEF, "nobody@example.com"):
        answers = [await world.post("password/forgot", {"email": address}) for _ in range(4)]
        seen.append(
            [
                (answer.status, answer.body and answer.message, sorted(answer.headers))
                for answer in answers
            ]
        )
    assert [status for status, *_ in seen[0]] == [204, 204, 204, 429]
    assert seen.count(seen[0]) == 4


async def test_a_deactivated_account_mails_no_link_to_give_back(world: World) -> None:
    assert await move(world, await world.proved(THIEF), VICTIM) == 200
    await world.db.execute("UPDATE account SET status = 'inactive'")
    await ask_reset(world)
    assert "address_release" not in await mailed(world, VICTIM)


@pytest.mark.parametrize("first", [0, 1, 2])
async def test_one_of_a_concurrent_undo_release_and_verification_comes_first(
    world: World, first: int
) -> None:
    session = await world.proved(THIEF)
    assert await move(world, session, VICTIM) == 200
    requests = [
        ("email/undo", {"token": await world.token(CHANGED, THIEF)}),
        ("email/undo", {"token": await release_link(world)}),
        ("verify", {"token": await world.token("Account verification", VICTIM)}),
    ]
    order = [first, *(number for number in range(3) if number != first)]
    async with held(world.db):
        tasks = []
        for number in order:
            path, body = requests[number]
            tasks.append(asyncio.create_task(world.post(path, body, headers=bearer(session))))
            await until_waiting(world.db, len(tasks))
    statuses = {number: (await task).status for number, task in zip(order, tasks, strict=True)}
    assert statuses.pop(first) == 204
    if first == 2:  # verified: the former address may still undo it, the new one no more
        assert statuses == {0: 204, 1: 401}
    else:
        assert statuses in ({1: 401, 2: 409}, {0: 401, 2: 409})
    assert await addresses(world) == [(THIEF, True)]
