"""Registration: who may register, the accepted values, and the stored data."""

from __future__ import annotations

import asyncio
import hmac
from uuid import UUID

import msgspec
import pytest

from lib.idempotency import fingerprint
from services.user.config import UserConfig
from services.user.personal_ids import PersonalIds, parse_keys
from tests.services.searching import rows_of
from tests.services.user.world import PASSWORD, person


@pytest.mark.usefixtures("full_hashes")
async def test_a_customer_is_answered_and_asked_to_verify(world) -> None:
    answer = await world.register(phone_number="+995555123456", first_name="  Žofie  Anna ")
    assert answer.status == 201
    assert answer.headers["Location"] == f"../../users/{answer.data['id']}"
    shown = {name: answer.data[name] for name in ("email", "first_name", "role", "verified")}
    assert shown == {
        "email": "ann@example.com",
        "first_name": "Žofie Anna",
        "role": "CUSTOMER",
        "verified": False,
    }
    assert "password" not in str(answer.body)
    assert "/verify-email#token=" in await world.mail("Account verification")
    row = await world.db.fetchrow("SELECT password_hash, created_by, id FROM account")
    assert row["password_hash"].startswith("$argon2id$v=19$m=47104,t=1,p=1$")
    assert PASSWORD not in row["password_hash"]
    assert row["created_by"] == str(row["id"])
    assert await world.audited("account.registered") == 1
    kinds = await world.db.fetch("SELECT kind, payload FROM outbox")
    assert [row["kind"] for row in kinds] == ["user.registered"]
    assert "ann@" not in kinds[0]["payload"]


async def test_what_is_valid_is_accepted(world, subtests) -> None:
    for number, fields in enumerate(
        (
            {"phone_number": "1234567"},
            {"phone_number": "1" * 15},
            {"first_name": "A"},
            {"first_name": "Mary Jane", "last_name": "Smith-Jones"},
            {"last_name": "D’Arcy"},
            {"first_name": "नमिता"},
            {"password": "tK7!mzq2"},
            {"password": "aZ9~" + "~" * 124},
            {"email": "A.b+c@Sub.Example.co"},
        )
    ):
        with subtests.test(fields=fields):
            whole = person(**{"email": f"ann{number}@example.com"} | fields)
            answer = await world.post("register/customer", whole)
            assert answer.status == 201, answer.body


async def test_what_is_not_valid_is_a_400_that_names_the_field(world, subtests) -> None:
    for field, value in [
        ("email", "invalid-email"),
        ("email", "a@b"),
        ("email", "a b@example.com"),
        ("email", "ann@example.com\n"),
        ("email", ".ann@example.com"),
        ("email", f"{'a' * 250}@example.com"),
        ("email", None),
        ("phone_number", "123456"),
        ("phone_number", "1" * 16),
        ("phone_number", "99555512345x"),
        ("phone_number", None),
        ("first_name", ""),
        ("first_name", "R2D2"),
        ("first_name", "<b>"),
        ("first_name", " - "),
        ("first_name", "x" * 51),
        ("last_name", None),
        ("password", "x" * 7),
        ("password", "x" * 129),
        ("password", "with a space"),
        ("password", "pässwörter"),
        ("password", "Password123!"),
        ("password", "O'Neil-2024"),
        ("password", None),
        ("role", "ADMIN"),
        ("verified", True),
    ]:
        with subtests.test(field=field):
            answer = await world.post("register/customer", person(**{field: value}))
            assert (answer.status, answer.code, answer.fields) == (400, "VALIDATION_ERROR", {field})
            assert await world.db.fetchval("SELECT count(*) FROM account") == 0


async def test_a_line_break_in_a_name_becomes_a_space_and_breaks_no_header(world) -> None:
    answer = await world.register(last_name="Smith\nBcc")
    assert answer.data["last_name"] == "Smith Bcc"


async def test_an_address_is_taken_whatever_its_case(world) -> None:
    assert (await world.register("ann@example.com")).status == 201
    answer = await world.register("ANN@Example.COM")
    assert (answer.status, answer.code, answer.message) == (
        409,
        "CONFLICT",
        "email already exists",
    )


async def test_the_address_of_a_deleted_account_can_be_registered_again(world) -> None:
    assert (await world.register()).status == 201
    await world.db.execute("UPDATE account SET status = 'deleted', deleted_at = now()")
    assert (await world.login()).status == 401
    assert (await world.register()).status == 201


async def test_of_many_registrations_at_once_one_wins(world) -> None:
    # From several addresses: one client may not ask so often.
    answers = await asyncio.gather(
        *(
            world.post(
                "register/customer", person(), headers={"X-Forwarded-For": f"192.0.2.{number}"}
            )
            for number in range(8)
        )
    )
    assert sorted(answer.status for answer in answers) == [201] + [409] * 7
    assert await world.db.fetchval("SELECT count(*) FROM account") == 1
    assert await world.db.fetchval("SELECT count(*) FROM mail_outbox") == 1
    assert await world.audited("account.registered") == 1


async def test_a_repeated_registration_with_its_key_is_answered_as_the_first(world) -> None:
    headers = {"Idempotency-Key": "registration-1"}
    answers = [await world.post("register/customer", person(), headers=headers) for _ in range(2)]
    assert [answer.status for answer in answers] == [201, 201]
    assert answers[0].data["id"] == answers[1].data["id"]
    other = await world.post("register/customer", person(last_name="Other"), headers=headers)
    assert (other.status, other.code) == (422, "IDEMPOTENCY_KEY_REUSED")


async def test_a_providers_personal_id_is_kept_encrypted(world) -> None:
    answer = await world.post("register/provider", person(personal_id_number="01001098765"))
    assert (answer.status, answer.data["role"]) == (201, "PROVIDER")
    assert "01001098765" not in str(answer.body)
    row = await world.db.fetchrow("SELECT * FROM provider")
    assert row["key_id"] == "development"
    async for table, text in rows_of(world.db):
        assert "98765" not in text, f"a part of it is in {table} in clear"
    assert b"01001098765" not in row["personal_id"]
    keys = UserConfig.model_fields["encryption_keys"].default.get_secret_value()
    read = PersonalIds(parse_keys(keys)).decrypt(
        row["personal_id"], row["key_id"], UUID(answer.data["id"])
    )
    assert read == "01001098765"


async def test_a_bad_personal_id_leaves_no_account(world, subtests) -> None:
    for number in ["1234", "", "12345a", "1" * 33, None]:
        with subtests.test(number=number):
            answer = await world.post("register/provider", person(personal_id_number=number))
            assert (answer.status, answer.fields) == (400, {"personal_id_number"})
            assert await world.db.fetchval("SELECT count(*) FROM account") == 0


async def test_a_provider_who_cannot_be_written_leaves_no_account(world) -> None:
    await world.db.execute("ALTER TABLE provider ADD CHECK (key_id = 'none')")
    answer = await world.post("register/provider", person(personal_id_number="01001011111"))
    assert answer.status == 400
    for table in ("account", "provider", "mail_outbox", "outbox"):
        assert await world.db.fetchval(f"SELECT count(*) FROM {table}") == 0


async def test_what_is_kept_of_a_repeatable_request_does_not_give_its_password_away(world) -> None:
    body = msgspec.json.encode(person())
    headers = {"Content-Type": "application/json", "Idempotency-Key": "once"}
    for _ in range(2):
        answer = await world.call(
            "POST", "/api/v1/auth/register/customer", data=body, headers=headers
        )
        assert answer.status == 201
    kept = await world.db.fetchval("SELECT fingerprint FROM idempotency_key")
    path, kind = b"/api/v1/auth/register/customer", b"application/json"
    # Whoever reads the database and knows the rest could try passwords against it.
    for secret in (None, b""):
        tried = fingerprint(path, kind, body)
        if secret is not None:
            tried = hmac.digest(secret, b"idempotency" + tried, "sha256")
        assert kept != tried
