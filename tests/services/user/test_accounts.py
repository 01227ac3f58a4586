"""Accounts: who sees and changes which account, and the effects of a change."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from lib.auth import Role
from lib.ids import new_id
from services.user.store import tokens
from services.user.store.models import TokenKind
from tests.services.running import ISSUER
from tests.services.user.cast import actor
from tests.services.user.world import PASSWORD, bearer

ME = "/api/v1/users/me"


async def test_me_is_the_caller_and_has_no_secrets(world) -> None:
    ann = await actor(world, Role.CUSTOMER, "ann")
    by_alias, by_id = await ann.call("GET", ME), await ann.call("GET", ann.path)
    assert by_alias.data == by_id.data
    tag = by_alias.headers["ETag"]
    assert tag.startswith('"1-')
    assert set(by_alias.data) == {
        "id", "email", "first_name", "last_name", "name", "phone_number", "role", "status",
        "verified", "version", "created_at", "updated_at",
    }  # fmt: skip
    assert by_alias.data["name"] == "Ann Tester"
    cached = await ann.call("GET", ME, headers={"If-None-Match": tag})
    assert cached.status == 304


async def test_who_may_do_what_to_whom(world, subtests) -> None:
    for number, (role, of, *statuses) in enumerate([
        # Whose account it is, and the status of GET, PATCH and DELETE.
        (Role.CUSTOMER, Role.CUSTOMER, 403, 403, 403),
        (Role.PROVIDER, Role.CUSTOMER, 403, 403, 403),
        (Role.STAFF, Role.CUSTOMER, 200, 403, 403),
        (Role.MODERATOR, Role.CUSTOMER, 200, 200, 204),
        (Role.MODERATOR, Role.STAFF, 200, 403, 403),
        (Role.MODERATOR, Role.ADMIN, 200, 403, 403),
        (Role.ADMIN, Role.MODERATOR, 200, 200, 204),
        (Role.ADMIN, Role.ADMIN, 200, 200, 204),
    ]):  # fmt: skip
        caller = await actor(world, role, f"caller{number}")
        for method, status in zip(("GET", "PATCH", "DELETE"), statuses, strict=True):
            with subtests.test(role=role, of=of, method=method):
                other = await actor(world, of, f"{method}{number}")
                body = {"first_name": "Changed"} if method == "PATCH" else None
                answer = await caller.call(method, other.path, body)
                assert answer.status == status, answer.body
                row = await world.db.fetchrow(
                    "SELECT first_name, status FROM account WHERE id = $1", other.id
                )
                assert (row["first_name"] == "Changed") is (method == "PATCH" and status == 200)
                assert (row["status"] == "deleted") is (status == 204)


async def test_nobody_gets_in_without_a_token_and_ids_cannot_be_probed(world, subtests) -> None:
    ann, bob = await actor(world, Role.CUSTOMER, "ann"), await actor(world, Role.CUSTOMER, "bob")
    for method in ["GET", "PATCH", "DELETE"]:
        with subtests.test(method=method):
            body = {"first_name": "X"} if method == "PATCH" else None
            assert (await world.call(method, ann.path, body)).status == 401
            there = await ann.call(method, bob.path, body)
            nowhere = await ann.call(method, f"/api/v1/users/{new_id()}", body)
            assert (there.status, there.code, there.message) == (
                nowhere.status, nowhere.code, nowhere.message,
            )  # fmt: skip


async def test_an_unverified_moderator_changes_nobody_but_themselves(world) -> None:
    new = await actor(world, Role.MODERATOR, "new", verified=False)
    ann = await actor(world, Role.CUSTOMER, "ann")
    refused = await new.call("PATCH", ann.path, {"first_name": "X"})
    assert (refused.status, refused.message) == (403, "your email address is not verified")
    assert (await new.call("PATCH", ME, {"first_name": "Own"})).status == 200


async def test_a_patch_changes_what_it_names_and_nothing_else(world) -> None:
    ann = await actor(world, Role.CUSTOMER, "ann")
    before = await ann.me()
    answer = await ann.call(
        "PATCH", ME, {"first_name": " Anna  Maria ", "phone_number": "+1234567"}
    )
    assert answer.status == 200
    assert answer.headers["ETag"].startswith('"2-')
    expected = {
        "first_name": "Anna Maria", "name": "Anna Maria Tester", "phone_number": "+1234567",
        "version": 2, "updated_at": answer.data["updated_at"],
    }  # fmt: skip
    assert answer.data == before | expected
    assert await world.audited("account.changed") == 1


async def test_a_bad_patch_is_a_400_that_changes_nothing(world, subtests) -> None:
    ann = await actor(world, Role.CUSTOMER, "ann")
    for body, code, fields in [
        ({}, "BAD_REQUEST", []),
        ({"first_name": ""}, "VALIDATION_ERROR", ["first_name"]),
        (
            {"first_name": "R2D2", "last_name": "<b>"},
            "VALIDATION_ERROR",
            ["first_name", "last_name"],
        ),
        ({"phone_number": "12345", "email": "x"}, "VALIDATION_ERROR", ["email", "phone_number"]),
        ({"role": "ADMIN"}, "VALIDATION_ERROR", ["role"]),
        ({"verified": True}, "VALIDATION_ERROR", ["verified"]),
        ({"phone_number": None}, "VALIDATION_ERROR", ["phone_number"]),
    ]:
        with subtests.test(body=body):
            answer = await ann.call("PATCH", ME, body)
            assert (answer.status, answer.code, sorted(answer.fields)) == (400, code, fields)
            assert (await ann.me())["version"] == 1


async def test_another_address_has_to_be_proved_and_the_former_one_is_told(world) -> None:
    session = await world.signed_up()
    link = {"token": await world.token("Account verification")}
    assert (await world.post("verify", link, headers=bearer(session))).status == 204
    mine = bearer(session)
    changed = await world.call("PATCH", ME, {"email": "New@example.com"}, headers=mine)
    assert (changed.status, changed.data["email"]) == (200, "New@example.com")
    assert changed.data["verified"] is False
    await world.mail("Your e-mail address was changed", to="ann@example.com")
    token = await world.token("Account verification", to="New@example.com")
    assert (await world.post("verify", {"token": token}, headers=mine)).status == 204
    assert (await world.call("GET", ME, headers=mine)).data["verified"] is True
    assert (await world.login("ann@example.com")).status == 401
    assert (await world.login("new@example.com")).status == 200


async def test_a_link_to_the_former_address_verifies_nothing(world) -> None:
    session = await world.signed_up()
    old = await world.token("Account verification")
    changed = await world.call("PATCH", ME, {"email": "b@example.com"}, headers=bearer(session))
    assert changed.status == 200
    assert (await world.post("verify", {"token": old})).status in (401, 409)
    me = await world.call("GET", ME, headers=bearer(session))
    assert me.data["verified"] is False


async def test_the_address_of_somebody_else_is_a_409_whatever_its_case(world) -> None:
    ann, _ = await actor(world, Role.CUSTOMER, "ann"), await actor(world, Role.CUSTOMER, "bob")
    answer = await ann.call("PATCH", ME, {"email": "BOB@example.com", "first_name": "X"})
    assert (answer.status, answer.message) == (409, "email already exists")
    assert (await ann.me())["first_name"] == "Ann"  # not half of it


async def test_of_several_changes_of_one_version_one_succeeds(world) -> None:
    ann = await actor(world, Role.CUSTOMER, "ann")
    names = ("Ada", "Bea", "Cleo", "Dora", "Ella")
    answers = await asyncio.gather(
        *(
            ann.call("PATCH", ME, {"first_name": name}, headers={"If-Match": '"1"'})
            for name in names
        )
    )
    assert sorted(answer.status for answer in answers) == [200, 412, 412, 412, 412]
    (won,) = [name for name, answer in zip(names, answers, strict=True) if answer.status == 200]
    me = await ann.me()
    assert (me["first_name"], me["version"]) == (won, 2)


async def test_a_deleted_account_is_over_and_its_address_free(world) -> None:
    session = await world.signed_up()
    assert (await world.call("DELETE", ME, headers=bearer(session))).status == 204
    assert (await world.call("GET", ME, headers=bearer(session))).status == 404
    assert (await world.login()).status == 401
    spent = await world.post("refresh", {"refresh_token": session["refresh_token"]})
    assert spent.status == 401
    again = await world.register()
    assert again.status == 201
    assert again.data["id"] != session["user_id"]
    row = await world.db.fetchrow("SELECT * FROM account WHERE id = $1", session["user_id"])
    assert (row["status"], row["password_hash"], row["phone_number"]) == ("deleted", None, None)
    kinds = [r["kind"] for r in await world.db.fetch("SELECT kind FROM outbox ORDER BY position")]
    assert kinds == [
        "user.registered", "user.deleted", "user.sessions_ended", "user.registered",
    ]  # fmt: skip


async def test_deleting_a_provider_removes_the_personal_id(world) -> None:
    provider = await world.post(
        "register/provider",
        {
            "email": "p@example.com", "phone_number": "1234567", "first_name": "P",
            "last_name": "Q", "password": PASSWORD, "personal_id_number": "01001011111",
        },
    )  # fmt: skip
    admin = await actor(world, Role.ADMIN)
    shown = await admin.call("GET", f"/api/v1/users/{provider.data['id']}")
    assert shown.data["personal_id_preview"] == "11"
    await admin.call("DELETE", f"/api/v1/users/{provider.data['id']}")
    assert await world.db.fetchval("SELECT count(*) FROM provider") == 0


async def test_a_profile_says_how_to_reach_only_those_who_offer_services(world) -> None:
    provider = await actor(world, Role.PROVIDER)
    customer = await actor(world, Role.CUSTOMER)
    moderator = await actor(world, Role.MODERATOR)
    stranger = await world.call("GET", f"/api/v1/profiles/{customer.id}")
    assert set(stranger.data) == {
        "id", "first_name", "last_name", "role", "verified", "created_at",
    }  # fmt: skip
    own = await customer.call("GET", f"/api/v1/profiles/{customer.id}")
    assert len(own.data["last_name"]) > 2
    assert stranger.data["last_name"] == f"{own.data['last_name'][0]}."
    offers = await world.call("GET", f"/api/v1/profile/{provider.id}")
    assert offers.data["email"] == "provider@example.com"
    for known in (customer, moderator):
        assert "email" in (await known.call("GET", f"/api/v1/profiles/{customer.id}")).data
    assert (await world.call("GET", f"/api/v1/profiles/{new_id()}")).status == 404
    await world.db.execute("UPDATE account SET status = 'inactive' WHERE id = $1", provider.id)
    assert (await world.call("GET", f"/api/v1/profiles/{provider.id}")).status == 404


async def test_the_export_holds_everything_about_oneself_and_no_secret(world) -> None:
    registered = await world.post(
        "register/provider",
        {
            "email": "ann@example.com", "phone_number": "1234567", "first_name": "P",
            "last_name": "Q", "password": PASSWORD, "personal_id_number": "01001011111",
        },
    )  # fmt: skip
    session = (await world.login()).data
    await world.until_mails_are_sent()
    answer = await world.call("GET", f"{ME}/export", headers=bearer(session))
    assert "attachment" in answer.headers["Content-Disposition"]
    assert answer.data["account"]["id"] == registered.data["id"]
    assert answer.data["personal_id_number"] == "01001011111"
    assert [mail["template"] for mail in answer.data["mails"]] == ["verify_email"]
    assert len(answer.data["sessions"]) == 1
    actions = [entry["action"] for entry in answer.data["activity"]]
    assert actions == ["account.registered", "login.succeeded"]
    text = str(answer.body)
    assert "argon2" not in text
    assert session["refresh_token"] not in text
    assert await world.audited("account.exported") == 1
    assert (await world.call("GET", f"{ME}/export")).status == 401


async def test_an_account_that_was_deactivated_cannot_be_used_by_its_owner(world) -> None:
    session = await world.signed_up()
    admin = await actor(world, Role.ADMIN)
    path = f"/api/v1/users/{session['user_id']}"
    stale = await admin.call("POST", f"{path}/deactivate", headers={"If-Match": '"7"'})
    assert stale.status == 412
    done = await admin.call("POST", f"{path}/deactivate", headers={"If-Match": '"1"'})
    assert (done.status, done.data["status"], done.headers["ETag"][:3]) == (200, "inactive", '"2-')
    mine = bearer(session)
    for method, body in (("GET", None), ("PATCH", {"first_name": "X"}), ("DELETE", None)):
        assert (await world.call(method, ME, body, headers=mine)).status == 403
    assert (await world.login()).status == 403
    refreshed = await world.post("refresh", {"refresh_token": session["refresh_token"]})
    assert refreshed.status == 401
    assert (await admin.call("POST", f"{path}/activate")).data["status"] == "active"
    assert (await world.login()).status == 200


async def test_nobody_activates_or_deactivates_themselves(world) -> None:
    ann = await actor(world, Role.CUSTOMER, "ann")
    for what in ("activate", "deactivate"):
        assert (await ann.call("POST", f"{ME}/{what}")).status == 403


async def test_a_service_has_no_account_of_its_own(world) -> None:
    headers = ISSUER.authorized("users:read", subject="order", role=Role.SERVICE)
    assert (await world.call("GET", ME, headers=headers)).status == 403


REFERRING = """
SELECT conrelid::regclass::text AS name, attname AS by FROM pg_constraint
JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]
WHERE contype = 'f' AND confrelid = 'account'::regclass
"""


async def test_nothing_that_refers_to_an_account_is_left_when_it_is_deleted(world) -> None:
    """This includes later tables: a new table that is forgotten fails this test."""
    session = await world.signed_up()
    ann = UUID(session["user_id"])
    tables = await world.db.fetch(REFERRING)
    for table, by in tables:
        if table != "session":
            await getattr(world.rows, f"make_{table}")(**{by: ann})

    async def left() -> set[str]:
        return {
            table
            for table, by in tables
            if await world.db.fetchval(f"SELECT count(*) FROM {table} WHERE {by} = $1", ann)
        }

    assert await left() == {table for table, _ in tables}, "the test has a row of each"
    await world.db.execute("UPDATE session SET second_factor_at = now()")
    assert (await world.call("DELETE", ME, headers=bearer(session))).status == 204
    # Sessions have no more than times, and are kept to recognise a stolen token.
    assert await left() == {"session"}


@pytest.mark.parametrize("kind", list(TokenKind))
async def test_no_link_is_made_for_a_deleted_account(world, kind) -> None:
    """The mailer may read the email before the deletion, and create the link after it."""
    session = await world.signed_up()
    assert (await world.call("DELETE", ME, headers=bearer(session))).status == 204
    of = {"account_id": UUID(session["user_id"]), "email": "ann@example.com", "seconds": 60.0}
    assert await tokens.add_token(world.db, hash=b"0" * 32, kind=kind, **of) == 0
