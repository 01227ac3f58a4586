"""A person who registers with another person's address does not keep the account."""

from __future__ import annotations

from typing import Any

from lib.auth import Role
from tests.services.user.cast import actor
from tests.services.user.test_second_factor import enrol, next_code, refreshed, show
from tests.services.user.world import PASSWORD, World, bearer

VICTIM = "victim@example.com"
OWN = "battery-staple-1"


async def account(world: World) -> Any:
    return await world.db.fetchrow("SELECT * FROM account WHERE email = $1", VICTIM)


async def reset(world: World, to: str = VICTIM) -> None:
    assert (await world.post("password/forgot", {"email": to})).status == 204
    token = await world.token("Password reset", to)
    done = await world.post("password/reset", {"token": token, "new_password": OWN})
    assert done.status == 204, done.body


async def test_no_second_factor_is_added_before_the_address_is_proved(world: World) -> None:
    session = await world.signed_up(VICTIM)
    for name in ("totp", "passkeys/options"):
        answer = await world.post(name, headers=bearer(session))
        assert (answer.status, answer.code) == (403, "FORBIDDEN"), answer.body


async def test_a_token_from_before_another_address_adds_no_second_factor(world: World) -> None:
    session = await world.proved("mallory@example.com")
    moved = {"email": VICTIM}
    assert (
        await world.call("PATCH", "/api/v1/users/me", moved, headers=bearer(session))
    ).status == 200
    answer = await world.post("totp", headers=bearer(session))
    assert (answer.status, answer.message) == (403, "verify your email address first")


async def test_a_session_older_than_the_proof_ends_with_it(world: World) -> None:
    thief = await world.signed_up(VICTIM)
    link = await world.token("Account verification", VICTIM)
    proof = {"token": link, "password": PASSWORD}
    assert (await world.post("verify", proof)).status == 204
    renewed = await world.post("refresh", {"refresh_token": thief["refresh_token"]})
    assert renewed.status == 401


async def test_who_proves_the_address_while_signed_in_stays_so(world: World) -> None:
    owner, elsewhere = await world.signed_up(VICTIM), (await world.login(VICTIM)).data
    link = await world.token("Account verification", VICTIM)
    assert (await world.post("verify", {"token": link}, headers=bearer(owner))).status == 204
    assert (await refreshed(world, owner))["verified"] is True
    gone = await world.post("refresh", {"refresh_token": elsewhere["refresh_token"]})
    assert gone.status == 401


async def test_a_session_of_somebody_else_is_not_kept_by_proving_an_address(world: World) -> None:
    thief = await world.signed_up(VICTIM)
    other = await world.signed_up("eve@example.com")
    proof = {"token": await world.token("Account verification", VICTIM), "password": PASSWORD}
    assert (await world.post("verify", proof, headers=bearer(other))).status == 204
    gone = await world.post("refresh", {"refresh_token": thief["refresh_token"]})
    assert gone.status == 401


async def test_a_reset_proves_the_address_and_removes_what_came_before(world: World) -> None:
    """This also holds for a factor of an account that was moved to this address a week ago."""
    thief = await world.proved("mallory@example.com")
    await enrol(world, thief)
    moved = await world.call("PATCH", "/api/v1/users/me", {"email": VICTIM}, headers=bearer(thief))
    assert moved.status == 200, moved.body
    await world.db.execute("UPDATE former_address SET changed_at = now() - interval '9 days'")
    await reset(world)
    assert (await account(world))["verified"] is True
    for table in ("authenticator", "passkey", "recovery_code"):
        assert await world.db.fetchval(f"SELECT count(*) FROM {table}") == 0, table
    assert (await world.login(VICTIM)).status == 401
    owner = (await world.login(VICTIM, OWN)).data
    assert (owner["verified"], owner["second_factor_wanted"]) == (True, False)
    assert await world.audited("second_factor.removed") == 1
    gone = await world.post("refresh", {"refresh_token": thief["refresh_token"]})
    assert gone.status == 401
    # What was mailed to verify it is of no use to anybody any more.
    used = "SELECT count(*) FROM account_token WHERE kind = 'verify_email' AND used_at IS NULL"
    await world.until_mails_are_sent()
    kinds = "SELECT count(*) FROM outbox WHERE kind = 'user.verified'"
    assert (await world.db.fetchval(used), await world.db.fetchval(kinds)) == (0, 1)


async def test_a_reset_of_a_proved_address_leaves_the_second_factor(world: World) -> None:
    """A person who reads the emails can set the password, but still needs the factor."""
    totp, _ = await enrol(world, await world.proved(VICTIM))
    await reset(world)
    session = (await world.login(VICTIM, OWN)).data
    assert session["second_factor_wanted"] is True
    assert await show(world, session, code=next_code(totp)) == 204


async def test_an_address_is_not_proved_past_a_second_factor(world: World) -> None:
    thief = await world.proved("mallory@example.com")
    totp, _ = await enrol(world, thief)
    moved = {"email": VICTIM}
    assert (
        await world.call("PATCH", "/api/v1/users/me", moved, headers=bearer(thief))
    ).status == 200
    link = {"token": await world.token("Account verification", VICTIM)}
    alone = (await world.login(VICTIM)).data
    for headers in ({}, bearer(alone)):
        answer = await world.post("verify", link, headers=headers)
        assert answer.status == 403, answer.body
    # The link is not spent: with the factor it works.
    assert await show(world, alone, code=next_code(totp)) == 204
    done = await world.post("verify", link, headers=bearer(await refreshed(world, alone)))
    assert done.status == 204, done.body


async def test_who_was_invited_is_verified_by_the_link_that_sets_the_password(
    world: World,
) -> None:
    admin = await actor(world, Role.ADMIN)
    new = {"email": VICTIM, "first_name": "Ann", "last_name": "Lee", "role": "STAFF"}
    assert (await admin.call("POST", "/api/v1/users", new)).status == 201
    token = await world.token("Your account", VICTIM)
    done = await world.post("password/reset", {"token": token, "new_password": OWN})
    assert done.status == 204, done.body
    assert (await world.login(VICTIM, OWN)).data["verified"] is True


async def test_an_unverified_account_reads_and_changes_itself_and_has_no_picture(
    world: World,
) -> None:
    session = await world.signed_up(VICTIM)
    me = "/api/v1/users/me"
    assert (await world.call("GET", me, headers=bearer(session))).status == 200
    renamed = await world.call("PATCH", me, {"first_name": "Eve"}, headers=bearer(session))
    assert renamed.status == 200, renamed.body
    for path in (f"{me}/picture", "/api/v1/user/me/pfp"):
        method = "PUT" if path.endswith("picture") else "PATCH"
        answer = await world.call(method, path, headers=bearer(session))
        assert (answer.status, answer.code) == (403, "FORBIDDEN"), answer.body
        assert answer.message.startswith("your email address is not verified")
    left = await world.call("DELETE", me, headers=bearer(session))
    assert left.status == 204, left.body
