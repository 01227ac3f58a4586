"""A stolen administrator's password alone gives no administrator access."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import jwt
import pyotp
import pytest

from lib.auth import Role
from services.user.service import second_factors
from tests.services.searching import rows_of
from tests.services.user.cast import actor
from tests.services.user.software_key import SoftwareKey
from tests.services.user.test_lockout import crowd, from_
from tests.services.user.test_stolen_tokens import SENSITIVE
from tests.services.user.world import PASSWORD, World, bearer

EMAIL = "ann@example.com"


@pytest.fixture
async def world(world: World) -> World:
    await world.db.execute("INSERT INTO permission VALUES ('reports:read', 'Reports')")
    await world.register()
    await world.db.execute("UPDATE account SET role = 'ADMIN', verified = true")
    return world


async def sign_in(world: World) -> Any:
    answer = await world.login()
    assert answer.status == 200, answer.body
    return answer.data


async def enrol(world: World, session: Any) -> tuple[pyotp.TOTP, list[str]]:
    """Return an active authenticator, and recovery codes."""
    made = await world.post("totp", headers=bearer(session))
    assert made.status == 200, made.body
    totp = pyotp.parse_uri(made.data["uri"])
    assert isinstance(totp, pyotp.TOTP)
    assert made.data["secret"] == totp.secret
    code = totp.at(time.time())
    done = await world.post("totp/confirm", {"code": code}, headers=bearer(session))
    assert done.status == 200, done.body
    return totp, done.data["recovery_codes"]


def next_code(totp: pyotp.TOTP) -> str:
    """Return the second code, which is valid because a clock may be half a minute ahead."""
    return totp.at(time.time() + 30)


async def show(world: World, session: Any, **given: Any) -> int:
    return (await world.post("second-factor", given, headers=bearer(session))).status


async def refreshed(world: World, session: Any) -> Any:
    answer = await world.post("refresh", {"refresh_token": session["refresh_token"]})
    assert answer.status == 200, answer.body
    return answer.data


def permissions(session: Any) -> list[str]:
    claims = jwt.decode(session["access_token"], options={"verify_signature": False})
    return claims["scope"].split()


async def test_a_stolen_password_alone_does_nothing_of_weight(world, subtests) -> None:
    await enrol(world, await sign_in(world))
    thief = await sign_in(world)
    assert (thief["second_factor_wanted"], permissions(thief)) == (True, [])
    bob = await actor(world, Role.CUSTOMER, "bob")
    for method, path, body in SENSITIVE:
        with subtests.test(method=method):
            answer = await world.call(
                method, path.format(bob=bob.path), body, headers=bearer(thief)
            )
            assert answer.status == 403, answer.body


async def test_the_owner_shows_a_code_and_is_an_administrator_again(world: World) -> None:
    totp, _ = await enrol(world, await sign_in(world))
    session = await sign_in(world)
    assert await show(world, session, code=next_code(totp)) == 204
    session = await refreshed(world, session)
    assert session["second_factor_wanted"] is False
    assert "roles:write" in permissions(session)
    body = {"permissions": ["users:read"]}
    put = await world.call("PUT", "/api/v1/roles/STAFF", body, headers=bearer(session))
    assert put.status == 200, put.body
    # It lasts as long as the session, and no longer.
    assert permissions(await refreshed(world, session))
    assert permissions(await sign_in(world)) == []


async def test_a_code_works_once_also_for_several_at_once(world: World) -> None:
    totp, _ = await enrol(world, await sign_in(world))
    code = next_code(totp)
    sessions = [await sign_in(world) for _ in range(3)]
    found = await asyncio.gather(*(show(world, session, code=code) for session in sessions))
    assert sorted(found) == [204, 401, 401]
    assert await show(world, sessions[0], code=code) == 401
    # Nor does one from before the last one that was taken.
    assert await show(world, sessions[0], code=totp.at(time.time())) == 401


async def test_codes_are_guessed_a_few_times_a_day_whoever_knows_the_password(world: World) -> None:
    """A device token does not help, because everyone with the password gets one."""
    _, recovery = await enrol(world, await sign_in(world))
    statuses = []
    for address in crowd(10):
        session = await sign_in(world)
        device = {"device_token": session["device_token"]}
        cookie = {"cookies": {"__Host-device_token": device["device_token"]}}
        for _ in range(6):
            answer = await world.post(
                "second-factor",
                {"code": "000000"},
                headers=bearer(session) | from_(address)["headers"],
                **cookie,
            )
            statuses.append(answer.status)
    assert statuses.count(401) == 20
    assert set(statuses) == {401, 429}
    assert await world.audited("second_factor.failed") == 20
    # The owner is not kept out: what cannot be guessed is not counted.
    assert await show(world, await sign_in(world), recovery_code=recovery[0]) == 204


async def test_a_recovery_code_works_once_and_is_kept_as_a_hash(world: World) -> None:
    _, codes = await enrol(world, await sign_in(world))
    assert len(set(codes)) == 10
    async for table, row in rows_of(world.db):
        for code in codes:
            assert code not in row, table
            assert code.replace("-", "") not in row, table
    session = await sign_in(world)
    assert await show(world, session, recovery_code="AAAA-BBBB-CCCC-DDDD") == 401
    assert await show(world, session, recovery_code=codes[3].lower()) == 204
    assert await show(world, session, recovery_code=codes[3]) == 401
    left = await world.call("GET", "/api/v1/auth/second-factor", headers=bearer(session))
    assert left.data == {"totp": True, "passkeys": [], "recovery_codes": 9, "shown": True}
    await world.mail("Your second factor has changed")
    # New ones take the place of all former ones.
    made = await world.post("recovery-codes", headers=bearer(session))
    assert len(made.data["recovery_codes"]) == 10
    assert await show(world, session, recovery_code=codes[4]) == 401


async def test_the_secret_is_encrypted_and_no_answer_of_it_is_kept(world: World) -> None:
    session = await sign_in(world)
    headers = bearer(session) | {"Idempotency-Key": "once"}
    made = await world.post("totp", headers=headers)
    assert made.headers["Cache-Control"] == "no-store"
    async for table, row in rows_of(world.db):
        assert made.data["secret"] not in row, table


async def test_a_thief_can_neither_add_nor_remove_a_second_factor(world: World) -> None:
    await enrol(world, await sign_in(world))
    thief = await sign_in(world)
    for method, path in (
        ("POST", "totp"),
        ("DELETE", "totp"),
        ("POST", "recovery-codes"),
        ("POST", "passkeys/options"),
        ("DELETE", "passkeys/00"),
    ):
        answer = await world.call(method, f"/api/v1/auth/{path}", headers=bearer(thief))
        assert (answer.status, answer.message) == (403, "verify your second factor first"), path


async def test_a_thief_takes_over_nothing_of_the_account(world: World) -> None:
    await enrol(world, await sign_in(world))
    thief = bearer(await sign_in(world))
    words = {"old_password": PASSWORD, "new_password": "battery-staple-1"}
    for method, path, body in (
        ("PATCH", "", {"email": "mallory@example.com"}),
        ("PATCH", "", {"phone_number": "995555000000"}),
        ("PATCH", "/change-password", words),
        ("DELETE", "", None),
    ):
        answer = await world.call(method, f"/api/v1/users/me{path}", body, headers=thief)
        assert (answer.status, answer.message) == (403, "verify your second factor first"), path


async def test_who_was_signed_in_before_there_was_a_second_factor_is_out(world: World) -> None:
    thief = await sign_in(world)
    owner = await sign_in(world)
    await enrol(world, owner)
    assert (await world.post("refresh", {"refresh_token": thief["refresh_token"]})).status == 401
    roles = await world.call("GET", "/api/v1/roles", headers=bearer(thief))
    assert (roles.status, roles.message) == (403, "your session has ended; sign in again")
    assert permissions(await refreshed(world, owner)), "the owner has just shown it"


async def test_an_old_sign_in_adds_no_second_factor(world: World) -> None:
    session = await sign_in(world)
    await world.db.execute("UPDATE session SET created_at = now() - interval '16 minutes'")
    answer = await world.post("totp", headers=bearer(session))
    assert (answer.status, answer.message) == (
        403,
        "this request requires a recent sign-in: sign in again",
    )


async def test_a_secret_that_was_never_confirmed_asks_for_nothing(world: World) -> None:
    session = await sign_in(world)
    await world.post("totp", headers=bearer(session))
    wrong = await world.post("totp/confirm", {"code": "000000"}, headers=bearer(session))
    assert wrong.status == 401
    assert permissions(await sign_in(world))


@pytest.mark.parametrize("settings", [{"second_factor_roles": "ADMIN STAFF"}])
async def test_roles_that_need_a_second_factor_have_no_permissions_without(world) -> None:
    session = await sign_in(world)
    assert (session["second_factor_wanted"], permissions(session)) == (True, [])
    assert (await world.call("GET", "/api/v1/roles", headers=bearer(session))).status == 403
    await enrol(world, session)
    assert permissions(await refreshed(world, session))
    await world.db.execute("UPDATE account SET role = 'CUSTOMER'")
    await world.db.execute("DELETE FROM authenticator")
    assert (await sign_in(world))["second_factor_wanted"] is False


async def add_passkey(world: World, session: Any, key: SoftwareKey) -> Any:
    options = await world.post("passkeys/options", headers=bearer(session))
    assert options.status == 200, options.body
    given = {"name": "A key in software", "credential": key.create(options.data)}
    return await world.post("passkeys", given, headers=bearer(session))


async def signed(world: World, session: Any, key: SoftwareKey) -> Any:
    options = await world.post("passkeys/challenge", headers=bearer(session))
    assert options.status == 200, options.body
    return key.get(options.data)


async def test_a_passkey_is_a_second_factor(world: World) -> None:
    key = SoftwareKey()
    added = await add_passkey(world, await sign_in(world), key)
    assert added.status == 201, added.body
    assert len(added.data["recovery_codes"]) == 10
    session = await sign_in(world)
    assert permissions(session) == []
    assert await show(world, session, passkey=await signed(world, session, key)) == 204
    session = await refreshed(world, session)
    assert "roles:write" in permissions(session)
    listed = (await world.call("GET", "/api/v1/auth/second-factor", headers=bearer(session))).data
    (one,) = listed["passkeys"]
    assert (one["id"], one["name"]) == (key.id.hex(), "A key in software")
    # Its owner takes its name away with everything else, and nothing that signs or verifies.
    exported = (await world.call("GET", "/api/v1/users/me/export", headers=bearer(session))).data
    assert [passkey["name"] for passkey in exported["passkeys"]] == ["A key in software"]
    assert set(exported["passkeys"][0]) == {"name", "created_at", "used_at"}
    path = f"/api/v1/auth/passkeys/{one['id']}"
    assert (await world.call("DELETE", path, headers=bearer(session))).status == 204
    # With the last one its recovery codes go as well.
    assert await world.db.fetchval("SELECT count(*) FROM recovery_code") == 0
    assert permissions(await sign_in(world))


@pytest.mark.parametrize(
    "attack",
    [
        "another page",
        "another host",
        "another key",
        "an old challenge",
        "a copy",
        "twice",
        "twice by a key that does not count",
        "nothing",
    ],
)
async def test_a_signature_that_was_not_made_here_and_now_is_none(world: World, attack) -> None:
    key = SoftwareKey()
    await add_passkey(world, await sign_in(world), key)
    session = await sign_in(world)
    given = await signed(world, session, key)
    if attack == "another page":
        key.origin = "https://127.0.0.1.example.com"
        given = await signed(world, session, key)
    elif attack == "another host":
        key.host = "example.com"
        given = await signed(world, session, key)
    elif attack == "another key":
        given = await signed(world, session, SoftwareKey(id=key.id))
    elif attack == "an old challenge":
        await signed(world, session, key)
    elif attack == "a copy":
        assert await show(world, session, passkey=given) == 204
        key.signed = 0
        given = await signed(world, session, key)
    elif attack == "twice":
        assert await show(world, session, passkey=given) == 204
    elif attack == "twice by a key that does not count":
        key.signed = -1
        given = await signed(world, session, key)
        assert await show(world, session, passkey=given) == 204
    else:
        given = {"id": "", "response": {"clientDataJSON": [1]}}
    shown = await world.db.fetchval("SELECT count(second_factor_at) FROM session")
    status = await show(world, session, passkey=given)
    assert status in (400, 401), status
    assert await world.db.fetchval("SELECT count(second_factor_at) FROM session") == shown


async def test_passkeys_added_at_once_do_not_pass_the_limit(world: World, monkeypatch) -> None:
    monkeypatch.setattr(second_factors, "_MOST_PASSKEYS", 1)
    sessions = [await sign_in(world) for _ in range(5)]
    keys = [SoftwareKey() for _ in sessions]
    asked = [await world.post("passkeys/options", headers=bearer(each)) for each in sessions]
    answers = await asyncio.gather(
        *(
            world.post(
                "passkeys",
                {"name": "A key", "credential": key.create(options.data)},
                headers=bearer(session),
            )
            for session, key, options in zip(sessions, keys, asked, strict=True)
        )
    )
    assert sorted(answer.status for answer in answers) == [201, 403, 403, 403, 403]
    assert await world.db.fetchval("SELECT count(*) FROM passkey") == 1
    assert await world.db.fetchval("SELECT count(*) FROM recovery_code") == 10


async def test_somebody_elses_passkey_shows_nothing(world: World) -> None:
    key = SoftwareKey()
    await add_passkey(world, await sign_in(world), key)
    eve = await world.proved("eve@example.com")
    own = SoftwareKey()
    assert (await add_passkey(world, eve, own)).status == 201
    # The challenge is Eve's, the key is Ann's.
    given = await signed(world, eve, key)
    assert await show(world, eve, passkey=given) == 401
    assert (await add_passkey(world, eve, key)).status == 409


async def test_an_administrator_removes_what_somebody_has_lost(world: World) -> None:
    admin = await sign_in(world)
    await world.register("bob@example.com")
    await world.db.execute("UPDATE account SET verified = true")
    bob = (await world.login("bob@example.com")).data
    await enrol(world, bob)
    path = f"/api/v1/users/{bob['user_id']}/second-factor"
    assert (await world.call("DELETE", path, headers=bearer(bob))).status == 403
    assert (await world.call("DELETE", path, headers=bearer(admin))).status == 204
    assert (await world.login("bob@example.com")).data["second_factor_wanted"] is False
    own = f"/api/v1/users/{admin['user_id']}/second-factor"
    assert (await world.call("DELETE", own, headers=bearer(admin))).status == 403


@pytest.mark.parametrize(
    "body",
    [{}, {"code": "123456", "recovery_code": "x"}, {"code": "12345"}, {"code": "\uff11" * 6}],
)
async def test_exactly_one_second_factor_is_shown(world: World, body) -> None:
    answer = await world.post("second-factor", body, headers=bearer(await sign_in(world)))
    assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
