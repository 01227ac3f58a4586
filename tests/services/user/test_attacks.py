"""Attacks of a person who knows the service, against the whole running service."""

from __future__ import annotations

import email
import time
from pathlib import Path
from typing import Any

import aiohttp
import pyotp
import pytest

from lib.auth import Role
from tests.services.searching import rows_of
from tests.services.user.cast import Actor, actor
from tests.services.user.drawings import picture
from tests.services.user.world import PASSWORD, World, bearer, person

EVIL = "evil.example"
LONGEST = "aZ9~" + "x" * 124


@pytest.fixture
def settings(tmp_path):
    return {"files_folder": tmp_path / "files"}


async def test_nobody_is_there_before_somebody_was_added(world: World) -> None:
    for table in ("account", "staff", "provider", "session", "account_token"):
        assert await world.db.fetchval(f"SELECT count(*) FROM {table}") == 0, table
    for address in ("admin@example.com", "root@example.com"):
        assert (await world.login(address, "admin")).status == 401


async def test_no_password_but_the_whole_one_signs_in(world: World) -> None:
    """A hash limited to 72 letters, or a comparison in lower case, would accept more passwords."""
    for address in ("ann@example.com", "bob@example.com"):
        assert (await world.register(address, password=LONGEST)).status == 201
    near = (
        LONGEST[:-1], LONGEST[:72], LONGEST[:64], LONGEST[:-1] + "y", LONGEST.swapcase(),
        LONGEST + "x", LONGEST + " ", LONGEST + "\0", "\0", "",
    )  # fmt: skip
    for number, password in enumerate(near):
        client = {"headers": {"X-Forwarded-For": f"192.0.2.{number}"}}
        answer = await world.login(password=password, **client)
        assert answer.status in (400, 401), (answer.status, password)
    assert (await world.login("bob@example.com", LONGEST)).status == 200
    # Whoever reads the hashes does not see who has the same password.
    hashes = [row[0] for row in await world.db.fetch("SELECT password_hash FROM account")]
    assert len(set(hashes)) == 2


async def test_whoever_reads_the_whole_database_finds_nothing_to_sign_in_with(
    world: World,
) -> None:
    registered = await world.post("register/customer", person(), headers={"Idempotency-Key": "k1"})
    assert registered.status == 201
    secrets = {"link": await world.token("Account verification"), "password": PASSWORD}
    assert (await world.post("password/forgot", {"email": "ann@example.com"})).status == 204
    secrets["reset"] = await world.token("Password reset")
    await world.db.execute("UPDATE account SET verified = true")
    session = (await world.login()).data
    secrets |= {name: session[name] for name in session if name.endswith("_token")}
    made = await world.post("totp", headers=bearer(session))
    secrets["totp"] = made.data["secret"]
    code = {"code": pyotp.TOTP(secrets["totp"]).at(time.time())}
    done = await world.post("totp/confirm", code, headers=bearer(session))
    for number, recovery in enumerate(done.data["recovery_codes"]):
        secrets[f"recovery {number}"] = recovery
        secrets[f"recovery {number} as it is compared"] = recovery.replace("-", "")
    await world.until_mails_are_sent()

    assert {"access_token", "refresh_token", "csrf_token", "device_token"} <= secrets.keys()
    found = {
        (table, name)
        async for table, text in rows_of(world.db)
        for name, secret in secrets.items()
        if secret in text or secret.encode().hex() in text
    }
    assert found == set()


async def test_no_header_of_a_request_chooses_where_a_mailed_link_leads(world: World) -> None:
    """A person who requests another user's reset could otherwise receive that user's token."""
    names = ("Host", "X-Forwarded-Host", "Forwarded", "X-Forwarded-Prefix", "X-Original-URL")
    for name in names:
        headers = {name: f"host={EVIL}" if name == "Forwarded" else EVIL}
        address = {"email": f"{name.lower()}@example.com"}
        made = await world.post("register/customer", person(**address), headers=headers)
        assert made.status == 201, made.body
        for path in ("password/forgot", "resend-verification"):
            assert (await world.post(path, address, headers=headers)).status == 204
    await world.until_mails_are_sent()
    mails = list(world.mails.glob("*.eml"))
    assert len(mails) == 3 * len(names)
    for mail in mails:
        message = email.message_from_bytes(mail.read_bytes())
        parts = [part.get_payload(decode=True) for part in message.walk()]
        assert EVIL not in mail.read_text() + str(parts)


async def test_no_field_writes_a_header_or_another_recipient_into_a_mail(world: World) -> None:
    """The test uses every character that some reader treats as the end of a line."""
    ends = "\r\n", "\n", "\r", "\v", "\f", "\x1c", "\x85", "\u2028", "\u2029", "\0", "=0D=0A", "%0A"
    sent_to = set()
    for number, end in enumerate(ends):
        client = {"headers": {"X-Forwarded-For": f"192.0.2.{number}"}}
        header = f"{end}Bcc: mallory@example.com{end}{end}Hello"
        for field, given in (
            ("first_name", f"Ann{header}"),
            ("last_name", f"Ann{header}"),
            ("first_name", f"Ann{end}Bcc"),
            ("email", f"a{number}@example.com{header}"),
            ("email", f"a{number}@example.com{end}"),
        ):
            fields = {"email": f"a{number}@example.com", field: given}
            answer = await world.post("register/customer", person(**fields), **client)
            assert answer.status in (201, 400, 409), (answer.status, given)
            if answer.status == 201:
                sent_to.add(answer.data["email"])
    assert (await world.register("bob@example.com")).status == 201
    await world.until_mails_are_sent()
    headers, told = set(), set()
    for mail in world.mails.glob("*.eml"):
        message = email.message_from_bytes(mail.read_bytes())
        headers.add(tuple(message.keys()))
        told |= set(message.get_all("To", []))
        assert "mallory" not in str(message)
    assert len(headers) == 1, "each mail has the headers of the plain one"
    assert told == sent_to | {"bob@example.com"}
    assert len(sent_to) > 1, "no line break came as far as a mail"


INJECTIONS = (
    "' OR '1'='1",
    "'; DROP TABLE account; --",
    "\\'; DELETE FROM account; --",
    "') UNION SELECT password_hash FROM account --",
    "x' || (SELECT pg_sleep(9)) || '",
    "$1",
    "%",
    "_",
    "%(x)s{0}",
)


@pytest.fixture
async def staffed(world: World) -> tuple[World, Actor]:
    admin = await actor(world, Role.ADMIN)
    for name in ("ann", "bob"):
        await actor(world, Role.CUSTOMER, name)
    return world, admin


async def test_no_text_that_is_searched_for_or_kept_is_read_as_sql(
    staffed: tuple[World, Actor],
) -> None:
    world, admin = staffed
    filters = ("search", "department_id", "order_by", "kind", "status", "actor", "action", "sort")
    for text in INJECTIONS:
        for path in ("users", "audit"):
            for name in filters:
                answer = await admin.call(
                    "GET", f"/api/v1/{path}", params={name: text, "kind": "all"}
                )
                assert answer.status in (200, 400), (path, name, text)
                if answer.status == 200 and name == "search" and path == "users":
                    assert answer.data["users"] == [], f"{text} found somebody"
        for path in (f"users/{text}", f"profiles/{text}", f"roles/{text}", f"permissions/{text}"):
            answer = await admin.call("GET", f"/api/v1/{path}")
            assert answer.status in (400, 404, 405), path
        new = {"name": "reports:read", "description": text}
        assert (await admin.call("POST", "/api/v1/permissions", new)).status == 204
        kept = await world.db.fetchval(
            "SELECT description FROM permission WHERE name = $1", new["name"]
        )
        assert kept == text
        assert (await admin.call("DELETE", "/api/v1/permissions/reports:read")).status == 204
    assert await world.db.fetchval("SELECT count(*) FROM account") == 3


async def test_the_name_of_a_picture_is_nowhere(world: World, tmp_path: Path) -> None:
    ann = await actor(world, Role.CUSTOMER, "ann")
    for name in ("../../evil.png", "/etc/evil.png", "..\\evil.png", "evil.html", "%2e%2e%2fevil"):
        form: Any = aiohttp.FormData(default_to_multipart=True)
        form.add_field("image", picture(), filename=name, content_type="text/html")
        answer = await ann.call("PUT", "/api/v1/users/me/picture", data=form)
        assert answer.status == 204, answer.body
        assert "evil" not in (await ann.me())["picture_url"]
        assert not list(tmp_path.rglob("*evil*"))
        assert list((tmp_path / "files").rglob("*"))
