"""A thief of a token cannot take over the account: the former address can undo a change."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.services.user.test_second_factor import enrol, next_code, refreshed, show
from tests.services.user.world import World, bearer, person

ME = "/api/v1/users/me"
ANN, THIEF = "ann@example.com", "thief@example.com"
OWN = "battery-staple-1"
CHANGED = "Your e-mail address was changed"


async def move(world: World, session: Any, to: str) -> int:
    headers = bearer(session)
    return (await world.call("PATCH", ME, {"email": to}, headers=headers)).status


async def undo(world: World, token: str) -> int:
    return (await world.post("email/undo", {"token": token})).status


async def test_an_old_sign_in_changes_neither_address_nor_password_and_takes_nothing_away(
    world: World, subtests
) -> None:
    session = await world.proved()
    await world.db.execute("UPDATE session SET created_at = now() - interval '16 minutes'")
    aged = await refreshed(world, session)
    words = {"old_password": "correct-horse-7", "new_password": OWN}
    # With a token that says so, and with one that was fresh when it was made.
    for stale in (aged, session):
        for method, path, body in (
            ("PATCH", ME, {"email": THIEF}),
            ("PATCH", f"{ME}/change-password", words),
            ("GET", f"{ME}/export", None),
            ("DELETE", ME, None),
            ("POST", "/api/v1/auth/totp", None),
            ("POST", "/api/v1/auth/passkeys/options", None),
        ):
            with subtests.test(method=method, path=path):
                answer = await world.call(method, path, body, headers=bearer(stale))
                assert (answer.status, answer.message) == (
                    403,
                    "this request requires a recent sign-in: sign in again",
                )
    # What gives nothing away needs no fresh sign-in.
    answer = await world.call("PATCH", ME, {"first_name": "Anna"}, headers=bearer(aged))
    assert answer.status == 200
    assert (await world.login()).status == 200


async def test_the_former_address_undoes_the_change_whatever_came_after(world: World) -> None:
    thief = await world.proved()
    assert await move(world, thief, THIEF) == 200
    link = {"token": await world.token("Account verification", THIEF)}
    assert (await world.post("verify", link, headers=bearer(thief))).status == 204
    thief = await refreshed(world, thief)
    await enrol(world, thief)
    thief = await refreshed(world, thief)
    assert await move(world, thief, "elsewhere@example.com") == 200

    token = await world.token(CHANGED, ANN)
    assert await undo(world, token) == 204
    renewed = await world.post("refresh", {"refresh_token": thief["refresh_token"]})
    assert renewed.status == 401
    # The password that the thief knows opens nothing; the owner sets another one.
    assert (await world.login(ANN)).status == 401
    reset = {"token": await world.token("Password reset", ANN), "new_password": OWN}
    assert (await world.post("password/reset", reset)).status == 204
    owner = (await world.login(ANN, OWN)).data
    assert (owner["verified"], owner["second_factor_wanted"]) == (True, False)
    # It works once, and the address in between has no way back.
    assert await undo(world, token) == 409
    assert await undo(world, await world.token(CHANGED, THIEF)) == 401
    assert await world.audited("email.restored") == 1


async def test_a_second_factor_from_before_the_change_is_kept(world: World) -> None:
    session = await world.proved()
    totp, _ = await enrol(world, session)
    assert await move(world, session, "new@example.com") == 200
    assert await undo(world, await world.token(CHANGED, ANN)) == 204
    reset = {"token": await world.token("Password reset", ANN), "new_password": OWN}
    assert (await world.post("password/reset", reset)).status == 204
    owner = (await world.login(ANN, OWN)).data
    assert owner["second_factor_wanted"] is True
    assert await show(world, owner, code=next_code(totp)) == 204


async def test_nobody_else_takes_the_former_address_while_it_can_be_undone(world: World) -> None:
    session, other = await world.proved(), await world.proved("eve@example.com")
    assert await move(world, session, THIEF) == 200
    assert (await world.register("ANN@example.com")).status == 409
    assert await move(world, other, ANN) == 409
    # Who had it may have it back, and after a week anybody.
    assert await move(world, session, ANN) == 200
    assert await move(world, session, "third@example.com") == 200
    await world.db.execute("UPDATE former_address SET changed_at = now() - interval '9 days'")
    assert (await world.register(ANN)).status == 201


async def test_an_address_given_up_at_the_same_time_is_not_taken(world: World) -> None:
    session = await world.proved()
    registering = [
        world.post("register/customer", person(phone_number=f"99555512345{n}")) for n in range(2)
    ]
    moved, *taken = await asyncio.gather(move(world, session, THIEF), *registering)
    assert moved == 200
    assert {answer.status for answer in taken} == {409}


@pytest.mark.parametrize("why", ["invented", "over", "deactivated", "deleted"])
async def test_a_link_that_does_not_hold_undoes_nothing(world: World, why: str) -> None:
    session = await world.proved()
    assert await move(world, session, THIEF) == 200
    token = await world.token(CHANGED, ANN)
    if why == "over":
        await world.db.execute("UPDATE account_token SET expires_at = now()")
    elif why == "deactivated":
        await world.db.execute("UPDATE account SET status = 'inactive'")
    elif why == "deleted":
        await world.call("DELETE", ME, headers=bearer((await world.login(THIEF)).data))
    assert await undo(world, "x" * 43 if why == "invented" else token) == 401
    emails = await world.db.fetch("SELECT email FROM account")
    assert [row["email"] for row in emails] == [THIEF]


async def test_an_address_that_nobody_proved_undoes_nothing(world: World) -> None:
    session = await world.signed_up()
    assert await move(world, session, THIEF) == 200
    await world.until_mails_are_sent()
    kinds = "SELECT count(*) FROM account_token WHERE kind = 'undo_email'"
    assert await world.db.fetchval(kinds) == 0
    assert (await world.register(ANN)).status == 201


async def test_the_link_to_undo_works_for_seven_days(world: World) -> None:
    session = await world.proved()
    assert await move(world, session, THIEF) == 200
    assert "within 168 hours" in await world.mail(CHANGED, ANN)
    left = await world.db.fetchval(
        "SELECT extract(epoch FROM expires_at - now()) FROM account_token WHERE kind = 'undo_email'"
    )
    assert 0 <= 7 * 24 * 3600 - left < 60
