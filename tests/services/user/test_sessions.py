"""Sessions: refresh tokens work once, a stolen one ends the session, and logouts end sessions."""

from __future__ import annotations

import asyncio
from typing import Any

import jwt
import pytest

from tests.services.user.world import bearer


def refresh(world, session: Any):
    return world.post("refresh", {"refresh_token": session["refresh_token"]})


def cookies(session: Any, *, csrf: bool = True) -> dict[str, Any]:
    """Return what a browser sends: cookies always, the header only from our own pages."""
    names = ("access_token", "refresh_token", "csrf_token")
    headers = {"X-CSRF-Token": session["csrf_token"]} if csrf else {}
    return {"cookies": {f"__Host-{name}": session[name] for name in names}, "headers": headers}


async def revoked_because(world) -> list[str | None]:
    rows = await world.db.fetch("SELECT revoked_because FROM session ORDER BY created_at")
    return [row["revoked_because"] for row in rows]


async def test_a_refresh_gives_new_tokens_of_the_same_session(world) -> None:
    first = await world.signed_up()
    answer = await refresh(world, first)
    assert answer.status == 200
    second = answer.data
    assert {first["refresh_token"], first["access_token"]}.isdisjoint(
        {second["refresh_token"], second["access_token"]}
    )
    sids = {
        jwt.decode(s["access_token"], options={"verify_signature": False})["sid"]
        for s in (first, second)
    }
    assert len(sids) == 1
    assert (await refresh(world, second)).status == 200


async def test_a_token_used_twice_ends_the_session_for_its_thief_and_its_owner(world) -> None:
    stolen = await world.signed_up()
    other = (await world.login()).data
    owners = (await refresh(world, stolen)).data
    assert (await refresh(world, stolen)).status == 401
    assert (await refresh(world, owners)).status == 401
    # Another device of the same owner goes on.
    assert (await refresh(world, other)).status == 200
    assert await revoked_because(world) == ["reuse", None]
    assert await world.audited("session.reuse_detected") == 1


async def test_of_many_refreshes_at_once_at_most_one_gets_tokens(world) -> None:
    session = await world.signed_up()
    answers = await asyncio.gather(*(refresh(world, session) for _ in range(8)))
    assert sorted(answer.status for answer in answers) == [200] + [401] * 7
    # One of them may be a thief's: whoever won has nothing that lasts.
    winner = next(answer for answer in answers if answer.status == 200)
    assert (await refresh(world, winner.data)).status == 401
    assert await revoked_because(world) == ["reuse"]


async def test_role_and_verification_are_read_anew(world) -> None:
    session = await world.signed_up()
    await world.db.execute("UPDATE account SET role = 'MODERATOR', verified = true")
    answer = await refresh(world, session)
    assert (answer.data["role"], answer.data["verified"]) == ("MODERATOR", True)
    claims = jwt.decode(answer.data["access_token"], options={"verify_signature": False})
    assert claims["roles"] == ["MODERATOR"]
    assert "users:moderate" in claims["scope"].split()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE refresh_token SET expires_at = now()",
        "UPDATE session SET revoked_at = now(), revoked_because = 'test'",
        "UPDATE session SET created_at = now() - interval '30 days'",
        "UPDATE account SET status = 'inactive'",
        "UPDATE account SET status = 'deleted', deleted_at = now()",
        "DELETE FROM session",
    ],
)
async def test_a_session_that_is_over_is_not_refreshed(world, change) -> None:
    session = await world.signed_up()
    await world.db.execute(change)
    answer = await refresh(world, session)
    assert (answer.status, answer.code) == (401, "UNAUTHORIZED")


async def test_a_session_ends_however_often_it_is_refreshed(world) -> None:
    session = await world.signed_up()
    await world.db.execute("UPDATE session SET created_at = now() - interval '29 days 23 hours'")
    answer = await refresh(world, session)
    assert 3500 < answer.data["refresh_expires_in"] <= 3600


async def test_without_a_good_token_there_is_no_refresh(world, subtests) -> None:
    for body, status in [
        ({"refresh_token": "invented"}, 401),
        ({"refresh_token": None}, 401),
        ({}, 401),
        (None, 401),
        ({"refresh_token": ""}, 400),
        ({"refresh_token": 7}, 400),
        ({"token": "x"}, 400),
    ]:
        with subtests.test(body=body):
            assert (await world.post("refresh", body)).status == status


async def test_refresh_tokens_are_kept_as_hashes(world) -> None:
    session = await world.signed_up()
    for table in ("refresh_token", "session", "audit_entry"):
        rows = await world.db.fetch(f"SELECT row_to_json(t)::text AS line FROM {table} AS t")
        assert rows
        assert not [row for row in rows if session["refresh_token"] in row["line"]]


async def test_a_browser_refreshes_with_its_cookies_and_the_csrf_token(world) -> None:
    session = await world.signed_up()
    answer = await world.post("refresh", **cookies(session))
    assert answer.status == 200
    assert answer.cookies["__Host-refresh_token"].value == answer.data["refresh_token"]


async def test_another_site_can_neither_refresh_nor_log_out_with_the_cookies(world) -> None:
    session = await world.signed_up()
    stranger = await world.signed_up("bob@example.com")
    forged = cookies(session, csrf=False)
    only_refresh = {"cookies": {"__Host-refresh_token": session["refresh_token"]}}
    borrowed = cookies({**session, "csrf_token": stranger["csrf_token"]})
    for given in (forged, only_refresh, borrowed):
        for name in ("refresh", "logout", "logout-all"):
            status = (await world.post(name, **given)).status
            assert status == 403 or (name == "logout-all" and given is only_refresh), name
    assert await revoked_because(world) == [None, None]
    assert (await refresh(world, session)).status == 200


@pytest.mark.parametrize("by", ["bearer", "body", "cookies", "old cookies"])
async def test_a_logout_ends_the_session_and_erases_the_cookies(world, by) -> None:
    session, other = await world.signed_up(), (await world.login()).data
    given: dict[str, dict[str, Any]] = {
        "bearer": {"headers": bearer(session)},
        "body": {"json": {"refresh_token": session["refresh_token"]}},
        "cookies": cookies(session),
        "old cookies": cookies({**session, "access_token": "ended"}),
    }
    answer = await world.post("logout", **given[by])
    assert answer.status == 204
    assert {name: cookie.value for name, cookie in answer.cookies.items()} == dict.fromkeys(
        ("__Host-access_token", "__Host-refresh_token", "__Host-csrf_token"), ""
    )
    assert (await refresh(world, session)).status == 401
    assert (await refresh(world, other)).status == 200
    assert await revoked_because(world) == ["logout", None]
    assert await world.audited("session.ended") == 1


async def test_logging_out_without_a_session_is_no_error(world) -> None:
    assert (await world.post("logout")).status == 204


async def test_logging_out_everywhere_ends_all_sessions_of_the_caller_only(world) -> None:
    first, second = await world.signed_up(), (await world.login()).data
    bob = await world.signed_up("bob@example.com")
    assert (await world.post("logout-all", headers=bearer(second))).status == 204
    for session, status in ((first, 401), (second, 401), (bob, 200)):
        assert (await refresh(world, session)).status == status
    assert (await world.post("logout-all")).status == 401


async def test_ones_own_sessions_are_listed_and_can_be_ended(world) -> None:
    phone, laptop = await world.signed_up(), (await world.login()).data
    bob = await world.signed_up("bob@example.com")
    listed = await world.call("GET", "/api/v1/auth/sessions", headers=bearer(laptop))
    assert [row["current"] for row in listed.data] == [True, False]
    of_phone = f"/api/v1/auth/sessions/{listed.data[1]['id']}"
    for given, status in ((bearer(bob), 404), (bearer(laptop), 204), (bearer(laptop), 404)):
        assert (await world.call("DELETE", of_phone, headers=given)).status == status
    assert (await refresh(world, phone)).status == 401
    assert (await refresh(world, laptop)).status == 200
    bad = await world.call("DELETE", "/api/v1/auth/sessions/x", headers=bearer(laptop))
    assert bad.status == 400


async def test_a_token_that_is_none_is_a_401_on_every_route(world, subtests) -> None:
    for header in (
        "InvalidToken",
        "Bearer",
        "Bearer x.y.z",
        "Basic YWRtaW46YWRtaW4=",
        "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.",
    ):
        for method, path in (("GET", "/api/v1/users"), ("POST", "/api/v1/auth/login")):
            with subtests.test(header=header, path=path):
                answer = await world.call(method, path, headers={"Authorization": header})
                assert (answer.status, answer.code) == (401, "UNAUTHORIZED")
                assert answer.headers["WWW-Authenticate"] == "Bearer"
