"""Email verification: once, in time, and for this address; a request reveals no account."""

from __future__ import annotations

import asyncio

import pytest

from tests.services.user.world import AUTH, PASSWORD, bearer

SUBJECT = "Account verification"


async def is_verified(world) -> bool:
    return await world.db.fetchval("SELECT verified FROM account")


async def test_the_mailed_link_verifies_once_and_is_confirmed_by_mail(world) -> None:
    await world.register()
    body = {"token": await world.token(SUBJECT), "password": PASSWORD}
    first = await world.post("verify", body)
    assert (first.status, await is_verified(world)) == (204, True)
    assert "is confirmed" in await world.mail("Verification success")
    second = await world.post("verify", body)
    assert (second.status, second.code) == (409, "CONFLICT")
    assert await world.audited("email.verified") == 1
    session = await world.login()
    assert session.data["verified"] is True


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_whoever_looks_at_the_link_verifies_nothing(world, method) -> None:
    """Programs that scan emails open every link in them."""
    await world.register()
    token = await world.token(SUBJECT)
    looked = await world.call(method, f"{AUTH}/verify?token={token}")
    assert looked.status == 405
    assert not await is_verified(world)
    assert (await world.post("verify", {"token": token, "password": PASSWORD})).status == 204


async def test_of_many_who_follow_a_link_at_once_one_verifies(world) -> None:
    mine = bearer(await world.signed_up())
    body = {"token": await world.token(SUBJECT)}
    answers = await asyncio.gather(*(world.post("verify", body, headers=mine) for _ in range(6)))
    assert sorted(answer.status for answer in answers) == [204] + [409] * 5


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ("UPDATE account_token SET expires_at = now()", 401),
        ("UPDATE account SET email = 'other@example.com'", 401),
        ("UPDATE account SET status = 'deleted', deleted_at = now()", 404),
        ("DELETE FROM account_token", 401),
        ("UPDATE account_token SET kind = 'reset_password'", 401),
    ],
)
async def test_a_link_that_does_not_fit_any_more_verifies_nothing(world, change, status) -> None:
    await world.register()
    token = await world.token(SUBJECT)
    await world.db.execute(change)
    body = {"token": token, "password": PASSWORD}
    assert (await world.post("verify", body)).status == status
    assert not await is_verified(world)
    # Nothing was burnt: a token is spent only with what it is for.
    assert not await world.db.fetchval("SELECT count(used_at) FROM account_token")


async def test_an_invented_token_is_a_401(world, subtests) -> None:
    for token in ("x", "é" * 20, "a" * 200, "'; drop table account; --"):
        with subtests.test(token=token):
            answer = await world.post("verify", {"token": token})
            assert (answer.status, answer.code) == (401, "UNAUTHORIZED")


@pytest.mark.parametrize("body", [{}, {"token": ""}, {"token": "a" * 201}])
async def test_nothing_is_verified_without_a_token(world, body) -> None:
    assert (await world.post("verify", body)).status == 400


async def test_tokens_are_kept_as_hashes_and_nowhere_else(world) -> None:
    await world.register()
    token = await world.token(SUBJECT)
    await world.until_mails_are_sent()
    for table in ("account_token", "mail_outbox", "outbox", "audit_entry"):
        rows = await world.db.fetch(f"SELECT row_to_json(t)::text AS line FROM {table} AS t")
        assert rows
        assert not [row for row in rows if token in row["line"]]


@pytest.mark.parametrize("path", ["resend-verification", "resend-confirmation"])
async def test_another_mail_can_be_asked_for_and_both_links_work_till_one_is_used(
    world, path
) -> None:
    await world.register()
    first = await world.token(SUBJECT)
    assert (await world.post(path, {"email": "ANN@example.com"})).status == 204
    second = await world.token(SUBJECT)
    assert first != second
    body = {"token": second, "password": PASSWORD}
    assert (await world.post("verify", body)).status == 204


async def test_nobody_learns_from_asking_which_addresses_have_accounts(world) -> None:
    await world.register("new@example.com")
    await world.register("done@example.com")
    await world.db.execute("UPDATE account SET verified = true WHERE email = 'done@example.com'")
    await world.until_mails_are_sent()
    seen = []
    for address in ("new@example.com", "done@example.com", "nobody@example.com"):
        answers = [await world.post("resend-verification", {"email": address}) for _ in range(4)]
        seen.append(
            [
                (answer.status, answer.body and answer.message, sorted(answer.headers))
                for answer in answers
            ]
        )
    assert [status for status, _, _ in seen[0]] == [204, 204, 204, 429]
    assert seen[0] == seen[1] == seen[2]
    mailed = await world.db.fetch("SELECT recipient FROM mail_outbox")
    assert (
        sorted(row["recipient"] for row in mailed) == ["done@example.com"] + ["new@example.com"] * 4
    )


async def test_only_the_owner_is_told_that_the_address_is_verified(world) -> None:
    ann, bob = await world.signed_up(), await world.signed_up("bob@example.com")
    await world.db.execute("UPDATE account SET verified = true")
    ask = {"email": "ann@example.com"}
    own = await world.post("resend-verification", ask, headers=bearer(ann))
    assert (own.status, own.message) == (409, "your email address is already verified")
    assert (await world.post("resend-verification", ask, headers=bearer(bob))).status == 204


async def test_a_throttled_address_is_told_when_to_come_back(world) -> None:
    for _ in range(3):
        await world.post("resend-verification", {"email": "ann@example.com"})
    answer = await world.post("resend-verification", {"email": "ann@example.com"})
    assert (answer.status, answer.code) == (429, "RATE_LIMIT_EXCEEDED")
    assert 3500 < int(answer.headers["Retry-After"]) <= 3600
    assert (await world.post("resend-verification", {"email": "b@example.com"})).status == 204
