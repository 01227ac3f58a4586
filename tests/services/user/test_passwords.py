"""Passwords changed and reset: all sessions end, and links work once."""

from __future__ import annotations

import asyncio

import pytest

from tests.services.user.world import PASSWORD, bearer

NEW = "battery-staple-8"
SUBJECT = "Password reset"


def change(world, session, old: str = PASSWORD, new: str = NEW, path: str = "users/me"):
    return world.call(
        "PATCH",
        f"/api/v1/{path}/change-password",
        {"old_password": old, "new_password": new},
        headers=bearer(session),
    )


@pytest.mark.parametrize("path", ["users/me", "me"])
async def test_a_change_takes_the_old_password_and_ends_every_session(world, path) -> None:
    session, other = await world.signed_up(), (await world.login()).data
    await world.db.execute("UPDATE account SET verified = true")
    assert (await change(world, session, path=path)).status == 204
    for ended in (session, other):
        answer = await world.post("refresh", {"refresh_token": ended["refresh_token"]})
        assert answer.status == 401
    assert (await world.login()).status == 401
    assert (await world.login(password=NEW)).status == 200
    assert "signed out everywhere" in await world.mail("Your password was changed")
    assert await world.audited("password.changed") == 1


async def test_a_wrong_old_password_changes_nothing(world) -> None:
    session = await world.signed_up()
    answer = await change(world, session, old="wrong")
    assert (answer.status, answer.message) == (401, "incorrect password")
    assert (await world.login()).status == 200
    assert await world.audited("password.change_refused") == 1


async def test_the_old_password_cannot_be_guessed_with_a_stolen_token(world) -> None:
    session = await world.signed_up()
    for _ in range(5):
        assert (await change(world, session, old="wrong")).status == 401
    assert (await change(world, session)).status == 429


async def test_a_new_password_has_to_be_one(world, subtests) -> None:
    session = await world.signed_up()
    for new in ("short", "x" * 129, "with a space", "", None):
        with subtests.test(new=new):
            answer = await change(world, session, new=new)
            assert (answer.status, answer.fields) == (400, {"new_password"})


async def test_a_change_needs_a_person_who_signed_in(world) -> None:
    body = {"old_password": PASSWORD, "new_password": NEW}
    path = "/api/v1/users/me/change-password"
    assert (await world.call("PATCH", path, body)).status == 401


async def test_of_many_changes_at_once_one_sets_the_password(world) -> None:
    session = await world.signed_up()
    words = [f"battery-staple-{n}" for n in range(5)]
    answers = await asyncio.gather(*(change(world, session, new=word) for word in words))
    # The others' password is not that any more, or the session had ended when they were looked at.
    assert {answer.status for answer in answers} - {401, 403} == {204}
    (chosen,) = [word for word, answer in zip(words, answers, strict=True) if answer.status == 204]
    assert (await world.login(password=chosen)).status == 200


async def test_a_login_that_races_with_a_change_keeps_no_session(world) -> None:
    """Whichever comes first, a session of the old password does not survive the change."""
    session = await world.signed_up()
    changed, *logins = await asyncio.gather(
        change(world, session), *(world.login() for _ in range(4))
    )
    assert changed.status == 204
    for login in logins:
        if login.status == 200:
            answer = await world.post("refresh", {"refresh_token": login.data["refresh_token"]})
            assert answer.status == 401
    live = "SELECT count(*) FROM session WHERE revoked_at IS NULL"
    assert await world.db.fetchval(live) == 0


async def test_a_mailed_token_sets_a_new_password_once(world) -> None:
    session = await world.signed_up()
    ask = {"email": "Ann@EXAMPLE.com"}
    assert (await world.post("password/forgot", ask)).status == 204
    text = await world.mail(SUBJECT)
    assert "/reset-password#token=" in text, "a query string would end in logs"
    token = text.split("#token=")[1].split()[0]
    reset = {"token": token, "new_password": NEW}
    assert (await world.post("password/reset", reset)).status == 204
    again = await world.post("password/reset", reset)
    assert (again.status, again.code) == (409, "CONFLICT")
    assert (await world.login()).status == 401
    assert (await world.login(password=NEW)).status == 200
    gone = await world.post("refresh", {"refresh_token": session["refresh_token"]})
    assert gone.status == 401
    assert await world.audited("password.reset") == 1


async def test_of_many_resets_at_once_one_sets_the_password(world) -> None:
    await world.register()
    await world.post("password/forgot", {"email": "ann@example.com"})
    token = await world.token(SUBJECT)
    passwords = [f"chosen-words-{n}" for n in range(4)]
    answers = await asyncio.gather(
        *(world.post("password/reset", {"token": token, "new_password": p}) for p in passwords)
    )
    assert sorted(answer.status for answer in answers) == [204, 409, 409, 409]
    winner = passwords[[answer.status for answer in answers].index(204)]
    assert (await world.login(password=winner)).status == 200


async def test_a_reset_makes_the_other_links_useless(world) -> None:
    await world.register()
    tokens = []
    for _ in range(2):
        await world.post("password/forgot", {"email": "ann@example.com"})
        tokens.append(await world.token(SUBJECT))
    statuses = [
        (await world.post("password/reset", {"token": token, "new_password": NEW})).status
        for token in tokens
    ]
    assert statuses == [204, 409]


@pytest.mark.parametrize(
    ("what", "status"),
    [
        ("UPDATE account_token SET expires_at = now()", 401),
        ("UPDATE account SET email = 'other@example.com'", 401),
        ("UPDATE account SET status = 'inactive'", 401),
        ("UPDATE account_token SET kind = 'verify_email'", 401),
        ("DELETE FROM account_token", 401),
    ],
)
async def test_a_link_that_does_not_fit_any_more_changes_nothing(world, what, status) -> None:
    await world.register()
    await world.post("password/forgot", {"email": "ann@example.com"})
    token = await world.token(SUBJECT)
    before = await world.db.fetchval("SELECT password_hash FROM account")
    await world.db.execute(what)
    answer = await world.post("password/reset", {"token": token, "new_password": NEW})
    assert answer.status == status
    assert await world.db.fetchval("SELECT password_hash FROM account") == before


async def test_nobody_learns_from_asking_who_has_an_account(world) -> None:
    await world.register()
    await world.register("hr@example.com")
    await world.db.execute("UPDATE account SET password_hash = NULL WHERE email = 'hr@example.com'")
    for address in ("ann@example.com", "hr@example.com", "nobody@example.com"):
        answers = [await world.post("password/forgot", {"email": address}) for _ in range(4)]
        assert [answer.status for answer in answers] == [204, 204, 204, 429]
    rows = await world.db.fetch(
        "SELECT recipient FROM mail_outbox WHERE template = 'reset_password'"
    )
    assert [row["recipient"] for row in rows] == ["ann@example.com"] * 3


@pytest.mark.parametrize("new", ["Password123!", "qwertyuiop", "O'Neil-99"])
async def test_a_common_password_is_refused_and_costs_neither_token_nor_attempt(world, new) -> None:
    session = await world.signed_up()
    for _ in range(6):  # more than may be tried
        answer = await change(world, session, new=new)
        assert (answer.status, answer.fields) == (400, {"new_password"})
    await world.post("password/forgot", {"email": "ann@example.com"})
    token = await world.token(SUBJECT)
    answer = await world.post("password/reset", {"token": token, "new_password": new})
    assert (answer.status, answer.fields) == (400, {"new_password"})
    answer = await world.post("password/reset", {"token": token, "new_password": NEW})
    assert answer.status == 204
    assert (await world.login(password=NEW)).status == 200
