"""Login: the right password opens a session, and all failures get the same limited response."""

from __future__ import annotations

import asyncio
import threading
import time

import jwt
import pytest
from argon2 import PasswordHasher

from devstack.testing.wait import DEADLINE
from services.user.service import opening
from services.user.service.throttle import Limit
from tests.services.user.world import PASSWORD, bearer


def from_(address: str) -> dict[str, dict[str, str]]:
    """Return the header with which the gateway forwards a client of the address."""
    return {"headers": {"X-Forwarded-For": address}}


async def test_a_login_is_answered_with_tokens_and_cookies(world) -> None:
    await world.register()
    answer = await world.login("ANN@example.com")
    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "no-store"
    data = answer.data
    assert (data["token_type"], data["role"], data["verified"]) == ("Bearer", "CUSTOMER", False)
    # Tokens end on a whole second.
    assert 800 < data["expires_in"] <= 900
    assert data["refresh_expires_in"] == 604_800
    expected = {
        "__Host-access_token": (data["access_token"], True, str(data["expires_in"])),
        "__Host-refresh_token": (data["refresh_token"], True, "604800"),
        "__Host-csrf_token": (data["csrf_token"], "", "604800"),
        "__Host-device_token": (data["device_token"], True, "15552000"),
    }
    found = {
        name: (cookie.value, cookie["httponly"], cookie["max-age"])
        for name, cookie in answer.cookies.items()
    }
    assert found == expected
    assert {(c["secure"], c["samesite"], c["path"]) for c in answer.cookies.values()} == {
        (True, "Lax", "/"),
        (True, "Strict", "/"),  # the device's
    }


async def test_the_access_token_can_be_checked_with_the_published_keys(world) -> None:
    await world.register()
    session = (await world.login()).data
    for path in ("/api/v1/auth/jwks.json", "/.well-known/jwks.json"):
        answer = await world.call("GET", path)
        (key,) = jwt.PyJWKSet.from_dict(answer.body).keys
        claims = jwt.decode(
            session["access_token"],
            key,
            algorithms=["EdDSA"],
            audience="platform",
            issuer="http://127.0.0.1:8080",
        )
        assert claims["sub"] == session["user_id"]
        assert claims["roles"] == ["CUSTOMER"]
        assert answer.headers["Cache-Control"] == "public, max-age=300"
        assert "d" not in answer.body["keys"][0], "the private half"


async def test_an_administrator_gets_the_permissions_of_the_role(world) -> None:
    await world.register()
    await world.db.execute("UPDATE account SET role = 'ADMIN'")
    claims = jwt.decode(
        (await world.login()).data["access_token"], options={"verify_signature": False}
    )
    assert {"users:read", "roles:write", "departments:write"} <= set(claims["scope"].split())


async def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(world) -> None:
    await world.register()
    await world.register("no-password@example.com")
    await world.db.execute(
        "UPDATE account SET password_hash = NULL WHERE email LIKE 'no-password%'"
    )
    answers = [
        await world.login("ann@example.com", "wrong"),
        await world.login("nobody@example.com", PASSWORD),
        await world.login("no-password@example.com", PASSWORD),
    ]
    for answer in answers:
        assert (answer.status, answer.code) == (401, "UNAUTHORIZED")
        assert answer.message == "incorrect email or password"
        assert not answer.cookies
        assert sorted(answer.headers) == sorted(answers[0].headers)


@pytest.mark.usefixtures("full_hashes")
async def test_an_unknown_address_takes_as_long_as_a_wrong_password(world) -> None:
    """The test compares CPU time, which other processes do not change, in several runs."""
    await world.register()

    async def spent(address: str, number: int) -> float:
        started = time.process_time()
        answer = await world.login(address, "wrong", **from_(f"192.0.2.{number}"))
        assert answer.status == 401
        return time.process_time() - started

    # In turns: what else goes on here meanwhile, such as sending mails, meets both.
    known, unknown = [], []
    for number in range(4):
        known.append(await spent("ann@example.com", number))
        unknown.append(await spent("nobody@example.com", number))
    assert 0.5 < min(known) / min(unknown) < 2.0


async def test_a_login_without_what_it_needs_is_a_400(world, subtests) -> None:
    for body in [
        {},
        {"email": "ann@example.com"},
        {"email": "ann@example.com", "password": ""},
        {"email": "ann@example.com", "password": "x" * 1001},
        {"email": "x" * 255, "password": "x"},
        {"email": 1, "password": "x"},
        [],
    ]:
        with subtests.test(body=body):
            assert (await world.post("login", body)).status == 400


async def test_a_deactivated_account_is_told_only_to_who_knows_the_password(world) -> None:
    await world.register()
    await world.db.execute("UPDATE account SET status = 'inactive'")
    assert (await world.login(password="wrong")).status == 401
    answer = await world.login()
    assert (answer.status, answer.message) == (403, "the account is not active")


async def test_the_guesser_is_locked_out_and_others_are_not(world) -> None:
    await world.register()
    guesser, owner = from_("192.0.2.1"), from_("192.0.2.2")
    for _ in range(5):
        assert (await world.login(password="wrong", **guesser)).status == 401
    locked = await world.login(**guesser)
    assert (locked.status, locked.code) == (429, "RATE_LIMIT_EXCEEDED")
    assert 0 < int(locked.headers["Retry-After"]) <= 900
    assert (await world.login(**owner)).status == 200
    # Nor does it tell whether there is such an account.
    for _ in range(5):
        await world.login("nobody@example.com", "wrong", **guesser)
    assert (await world.login("nobody@example.com", "wrong", **guesser)).status == 429
    await world.db.execute("UPDATE attempt SET window_ends_at = now()")
    assert (await world.login(**guesser)).status == 200


@pytest.mark.parametrize("spelled", ["m\u0130ke@example.com", "mi\u212ae@example.com"])
async def test_letters_that_a_database_takes_for_others_are_no_way_around_the_limit(
    world, spelled
) -> None:
    assert (await world.register("mike@example.com")).status == 201
    for _ in range(5):
        assert (await world.login("mike@example.com", "wrong")).status == 401
    assert (await world.login(spelled)).status in (401, 429)  # not this account, or counted as it
    assert await world.audited("login.succeeded") == 0


@pytest.mark.parametrize("settings", [{"login_account_attempts": 3, "login_address_attempts": 4}])
async def test_an_account_and_an_address_have_limits_of_their_own(world) -> None:
    await world.register()
    for number in range(3):
        await world.login(password="wrong", **from_(f"192.0.2.{number}"))
    # Many addresses, one account.
    assert (await world.login(**from_("192.0.2.9"))).status == 429
    # One address, many accounts; what was refused above was no attempt.
    for number in range(4):
        answer = await world.login(f"x{number}@example.com", "wrong", **from_("192.0.2.9"))
        assert answer.status == 401
    assert (await world.login("y@example.com", "wrong", **from_("192.0.2.9"))).status == 429


async def test_a_login_that_succeeds_is_no_attempt(world) -> None:
    await world.register()
    for _ in range(7):
        await world.login(password="wrong")
        assert (await world.login()).status == 200


async def test_one_account_has_a_limit_of_sessions_an_hour(world, monkeypatch) -> None:
    monkeypatch.setattr(opening, "_SUCCESSES", Limit(2, 3600))
    await world.register()
    await world.register("bob@example.com")
    assert [(await world.login()).status for _ in range(4)] == [200, 200, 429, 429]
    assert (await world.login("bob@example.com")).status == 200
    assert await world.db.fetchval("SELECT count(*) FROM session") == 3


@pytest.mark.usefixtures("full_hashes")
async def test_a_hash_with_former_parameters_is_made_anew(world) -> None:
    await world.register()
    former = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    await world.db.execute("UPDATE account SET password_hash = $1", former)
    assert (await world.login()).status == 200
    renewed = await world.db.fetchval("SELECT password_hash FROM account")
    assert "m=47104" in renewed
    assert (await world.login()).status == 200


async def test_attempts_are_in_the_audit_trail(world) -> None:
    await world.register()
    await world.login(password="wrong", **from_("192.0.2.7"))
    await world.login("nobody@example.com", "wrong", **from_("192.0.2.7"))
    await world.login()
    rows = await world.db.fetch(
        "SELECT action, actor, resource_id, address FROM audit_entry"
        " WHERE action LIKE 'login%' ORDER BY id"
    )
    account = str(await world.db.fetchval("SELECT id FROM account"))
    assert [tuple(row) for row in rows] == [
        ("login.failed", "anonymous", account, "192.0.2.7"),
        ("login.failed", "anonymous", "unknown", "192.0.2.7"),
        ("login.succeeded", account, account, "127.0.0.1"),
    ]


async def test_signing_in_does_not_stop_the_event_loop(world, monkeypatch) -> None:
    await world.register()
    begun, go_on = asyncio.Event(), threading.Event()
    loop, verify = asyncio.get_running_loop(), PasswordHasher.verify

    def slowly(hasher: PasswordHasher, stored: str, password: str) -> bool:
        loop.call_soon_threadsafe(begun.set)
        assert go_on.wait(DEADLINE), "the loop stands still meanwhile"
        return verify(hasher, stored, password)

    monkeypatch.setattr(PasswordHasher, "verify", slowly)
    logins = [asyncio.create_task(world.login(f"a{n}@example.com", "wrong")) for n in range(6)]
    await begun.wait()
    assert (await world.call("GET", "/livez")).status == 200
    go_on.set()
    assert [answer.status for answer in await asyncio.gather(*logins)] == [401] * 6


async def test_roles_decide_who_lists_people(world) -> None:
    session = await world.proved()
    answer = await world.call("GET", "/api/v1/users", headers=bearer(session))
    assert (answer.status, answer.code) == (403, "FORBIDDEN")
    assert (await world.call("GET", "/api/v1/users")).status == 401
    await world.db.execute("UPDATE account SET role = 'STAFF'")
    staff = (await world.login()).data
    assert (await world.call("GET", "/api/v1/users", headers=bearer(staff))).status == 200


@pytest.mark.parametrize("settings", [{"rate_limit": 0.001, "rate_limit_burst": 1}])
async def test_whoever_floods_the_service_keeps_nobody_from_the_keys(world) -> None:
    """A service without a token refuses everybody, and may request one from the same address."""
    paths = ("/api/v1/auth/sessions", "/api/v1/auth/jwks.json", "/.well-known/jwks.json")
    statuses = [[(await world.call("GET", path)).status for path in paths] for _ in range(3)]
    assert statuses == [[401, 200, 200], [429, 200, 200], [429, 200, 200]]
