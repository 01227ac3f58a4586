"""Sign in with identity providers (OpenID Connect), link them and unlink them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest

from services.user.oidc import kept
from tests.conftest import NewDatabase
from tests.services.user.at_provider import LINKS, Browser, Town, running_town
from tests.services.user.played_provider import CLIENT, OTHER
from tests.services.user.test_second_factor import enrol, next_code, refreshed, show
from tests.services.user.world import AUTH, World, bearer


@pytest.fixture
async def town(
    new_database: NewDatabase, tmp_path: Path, settings: dict[str, Any]
) -> AsyncIterator[Town]:
    async with running_town(await new_database("user"), tmp_path, **settings) as town:
        yield town


async def test_a_platform_without_providers_lists_none_and_knows_none(world: World) -> None:
    listed = await world.call("GET", f"{AUTH}/identity-providers")
    assert (listed.status, listed.data) == (200, [])
    for name in ("start", "sign-in"):
        body = {} if name == "start" else {"code": "c", "state": "s"}
        answer = await world.post(f"identity-providers/one/{name}", body)
        assert (answer.status, answer.code) == (404, "NOT_FOUND")


async def test_the_providers_are_listed_in_the_order_of_the_settings(town: Town) -> None:
    listed = await town.world.call("GET", f"{AUTH}/identity-providers")
    assert listed.data == [{"name": "one"}, {"name": "two"}]


async def test_a_request_has_pkce_a_state_a_nonce_and_our_own_redirect(town: Town) -> None:
    url = urlsplit(await town.browser().start())
    query = {name: value[0] for name, value in parse_qs(url.query).items()}
    assert f"http://{url.netloc}{url.path}" == f"{town.one.issuer}/authorize"
    assert query["tenant"] == "1"  # what the provider's own address says stays
    assert (query["response_type"], query["client_id"]) == ("code", CLIENT)
    assert query["redirect_uri"] == "https://shop.example.com/sign-in/one"
    assert (query["scope"], query["code_challenge_method"]) == ("openid email profile", "S256")
    assert all(len(query[name]) == 43 for name in ("state", "nonce", "code_challenge"))
    again = await town.browser().start()
    other = {name: value[0] for name, value in parse_qs(urlsplit(again).query).items()}
    assert all(query[name] != other[name] for name in ("state", "nonce", "code_challenge"))


async def test_the_cookie_of_a_request_is_for_this_host_hidden_and_short_lived(town: Town) -> None:
    answer = await town.world.post("identity-providers/one/start", {})
    (cookie,) = answer.cookies.values()
    assert cookie.key == "__Host-identity_request"
    assert (cookie["httponly"], cookie["secure"]) == (True, True)
    assert (cookie["samesite"], cookie["path"], cookie["max-age"]) == ("Lax", "/", "600")
    assert answer.headers["Cache-Control"] == "no-store"


async def test_nothing_that_is_stored_of_a_request_opens_it(town: Town) -> None:
    browser = town.browser()
    url = await browser.start()
    row = await town.world.db.fetchrow("SELECT * FROM identity_request")
    stored = " ".join(str(value) for value in row.values())
    assert parse_qs(urlsplit(url).query)["state"][0] not in stored
    assert next(iter(browser.cookies.values())) not in stored


async def test_a_new_user_gets_a_verified_account_where_the_provider_is_trusted(
    town: Town,
) -> None:
    answer = await town.browser().sign_in(town.one, return_to="/orders?page=2")
    assert answer.status == 200, answer.body
    assert answer.data["verified"] is True
    assert (answer.data["return_to"], answer.data["role"]) == ("/orders?page=2", "CUSTOMER")
    assert answer.cookies["__Host-identity_request"].value == ""
    assert answer.cookies["__Host-access_token"].value == answer.data["access_token"]
    me = await town.world.call("GET", "/api/v1/users/me", headers=bearer(answer.data))
    assert (me.data["email"], me.data["first_name"]) == ("ann@example.com", "Ann")
    assert me.data["last_name"] == "O'Neil"
    kinds = await town.world.db.fetch("SELECT kind FROM outbox ORDER BY id")
    assert [row["kind"] for row in kinds] == ["user.registered", "user.verified"]
    for action in ("account.registered", "email.verified", "login.succeeded"):
        assert await town.world.audited(action) == 1, action
    said = "SELECT details->>'provider' FROM audit_entry WHERE action = 'login.succeeded'"
    assert await town.world.db.fetchval(said) == "one"


async def test_a_new_user_is_asked_to_verify_what_the_provider_does_not(town: Town) -> None:
    answer = await town.browser().sign_in(town.two, "two")
    assert (answer.status, answer.data["verified"]) == (200, False)
    link = await town.world.token("Account verification")
    verified = await town.world.post("verify", {"token": link}, headers=bearer(answer.data))
    assert verified.status == 204, verified.body
    assert (await town.browser().sign_in(town.two, "two")).data["verified"] is True


@pytest.mark.parametrize("said", [False, "false", None, 1, "yes"])
async def test_an_address_is_verified_only_if_the_provider_says_so(town: Town, said: Any) -> None:
    town.one.user["email_verified"] = said
    assert (await town.browser().sign_in(town.one)).data["verified"] is False


async def test_a_user_who_comes_again_is_the_same_with_another_address(town: Town) -> None:
    first = (await town.browser().sign_in(town.one)).data
    town.one.user |= {"email": "new@example.com", "given_name": "Other"}
    again = (await town.browser().sign_in(town.one)).data
    assert first["user_id"] == again["user_id"]
    me = await town.world.call("GET", "/api/v1/users/me", headers=bearer(again))
    assert (me.data["email"], me.data["first_name"]) == ("ann@example.com", "Ann")
    assert await town.count("account") == 1


async def test_the_address_may_be_in_the_userinfo_alone(town: Town) -> None:
    town.one.in_userinfo = True
    answer = await town.browser().sign_in(town.one)
    assert (answer.status, answer.data["verified"]) == (200, True)


@pytest.mark.parametrize(
    ("said", "first", "last"),
    [
        ({"given_name": "Ada", "family_name": None}, "Ada", ""),
        (
            {"given_name": None, "family_name": None, "name": "Ada King Lovelace"},
            "Ada",
            "King Lovelace",
        ),
        ({"given_name": "<b>", "family_name": "x", "name": "{{7*7}}"}, "Customer", ""),
        ({"given_name": "x" * 51, "family_name": "x"}, "Customer", ""),
    ],
)
async def test_a_name_that_is_none_here_is_replaced(
    town: Town, said: Any, first: str, last: str
) -> None:
    town.one.user |= said
    session = (await town.browser().sign_in(town.one)).data
    me = await town.world.call("GET", "/api/v1/users/me", headers=bearer(session))
    assert (me.data["first_name"], me.data["last_name"]) == (first, last)


@pytest.mark.parametrize("email", [None, "", "no address", "a@b", ["ann@example.com"]])
async def test_a_new_user_without_an_address_gets_no_account(town: Town, email: Any) -> None:
    town.one.user["email"] = email
    answer = await town.browser().sign_in(town.one)
    assert (answer.status, answer.code) == (400, "BAD_REQUEST")
    assert await town.count("account") == 0


async def test_an_account_of_a_provider_gets_a_password_by_a_reset(town: Town) -> None:
    await town.browser().sign_in(town.one)
    assert (await town.world.login(password="-")).status == 401
    assert (await town.world.post("password/forgot", {"email": "ann@example.com"})).status == 204
    token = await town.world.token("Password reset")
    reset = {"token": token, "new_password": "battery-staple-1"}
    assert (await town.world.post("password/reset", reset)).status == 204
    assert (await town.world.login(password="battery-staple-1")).status == 200
    assert (await town.browser().sign_in(town.one)).status == 200


async def test_a_second_factor_is_asked_for_after_a_provider_as_after_a_password(
    town: Town,
) -> None:
    totp, _ = await enrol(town.world, (await town.browser().sign_in(town.one)).data)
    session = (await town.browser().sign_in(town.one)).data
    assert session["second_factor_wanted"] is True
    refused = await town.world.call("GET", "/api/v1/users/me", headers=bearer(session))
    assert refused.status == 403
    assert await show(town.world, session, code=next_code(totp)) == 204
    session = await refreshed(town.world, session)
    assert session["second_factor_wanted"] is False


async def test_a_new_device_is_reported_and_a_known_one_is_not(town: Town) -> None:
    device = (await town.browser().sign_in(town.one)).data["device_token"]
    await town.world.mail("A sign-in from a new device")
    browser = town.browser()
    back = town.one.authorize(await browser.start())
    assert (await browser.finish(back | {"device_token": device})).status == 200
    reported = "SELECT count(*) FROM mail_outbox WHERE template = 'new_device'"
    assert await town.world.db.fetchval(reported) == 1


async def test_the_owner_links_an_identity_and_signs_in_with_it(town: Town) -> None:
    owner = await town.world.proved()
    town.one.user["email"] = "elsewhere@example.com"
    browser = town.browser()
    linked = await browser.link(town.one, owner)
    assert linked.status == 201, linked.body
    assert linked.data | {"id": ""} == {"id": "", "provider": "one", "return_to": "/"}
    await town.world.mail("A sign-in was linked or removed")
    session = (await town.browser().sign_in(town.one)).data
    assert session["user_id"] == owner["user_id"]
    listed = await town.world.call("GET", LINKS, headers=bearer(session))
    (one,) = listed.data
    assert (one["id"], one["provider"]) == (linked.data["id"], "one")
    assert one["used_at"] is not None
    assert await town.world.audited("identity.linked") == 1


async def test_an_identity_of_another_account_or_the_same_one_is_linked_once(town: Town) -> None:
    await town.browser().sign_in(town.one)
    owner = await town.world.proved("bob@example.com")
    answer = await town.browser().link(town.one, owner)
    assert (answer.status, answer.code) == (409, "CONFLICT")
    assert await town.count("identity") == 1


async def test_unlinking_ends_the_sessions_that_the_identity_opened(town: Town) -> None:
    owner = await town.world.proved()
    linked = (await town.browser().link(town.one, owner)).data
    thief = (await town.browser().sign_in(town.one)).data
    by_password = (await town.world.login()).data
    path = f"{LINKS}/{linked['id']}"
    gone = await town.world.call("DELETE", path, headers=bearer(owner))
    assert gone.status == 204, gone.body
    refresh = {"refresh_token": thief["refresh_token"]}
    assert (await town.world.post("refresh", refresh)).status == 401
    for session in (owner, by_password):
        await refreshed(town.world, session)
    town.one.user["email"] = "elsewhere@example.com"
    assert (await town.browser().sign_in(town.one)).data["user_id"] != owner["user_id"]
    assert await town.world.audited("identity.unlinked") == 1
    ended = "SELECT count(*) FROM outbox WHERE kind = 'user.sessions_ended'"
    assert await town.world.db.fetchval(ended) == 1
    again = await town.world.call("DELETE", path, headers=bearer(owner))
    assert (again.status, again.code) == (404, "NOT_FOUND")


async def test_a_user_who_unlinks_with_that_identity_stays_signed_in(town: Town) -> None:
    owner = await town.world.proved()
    linked = (await town.browser().link(town.one, owner)).data
    session = (await town.browser().sign_in(town.one)).data
    gone = await town.world.call("DELETE", f"{LINKS}/{linked['id']}", headers=bearer(session))
    assert gone.status == 204, gone.body
    await refreshed(town.world, session)


async def test_the_last_way_to_sign_in_is_not_removed(town: Town) -> None:
    session = (await town.browser().sign_in(town.one)).data
    (one,) = (await town.world.call("GET", LINKS, headers=bearer(session))).data
    answer = await town.world.call("DELETE", f"{LINKS}/{one['id']}", headers=bearer(session))
    assert (answer.status, answer.code) == (409, "CONFLICT")
    linked = await town.browser().link(town.two, session, "two")
    assert linked.status == 201, linked.body
    gone = await town.world.call("DELETE", f"{LINKS}/{one['id']}", headers=bearer(session))
    assert gone.status == 204, gone.body


async def test_an_identity_at_a_provider_that_is_gone_is_no_way_to_sign_in(town: Town) -> None:
    session = (await town.browser().sign_in(town.one)).data
    account_id = UUID(session["user_id"])
    await town.world.rows.make_identity(
        account_id=account_id, issuer="https://gone.example.com", proved=True
    )
    listed = (await town.world.call("GET", LINKS, headers=bearer(session))).data
    assert [one["provider"] for one in listed] == ["one", None]
    path = f"{LINKS}/{listed[0]['id']}"
    assert (await town.world.call("DELETE", path, headers=bearer(session))).status == 409


async def test_two_identities_removed_at_once_leave_one(town: Town) -> None:
    session = (await town.browser().sign_in(town.one)).data
    assert (await town.browser().link(town.two, session, "two")).status == 201
    listed = (await town.world.call("GET", LINKS, headers=bearer(session))).data
    answers = await asyncio.gather(
        *(
            town.world.call("DELETE", f"{LINKS}/{one['id']}", headers=bearer(session))
            for one in listed
        )
    )
    assert sorted(answer.status for answer in answers) == [204, 409]


async def test_a_deactivated_account_does_not_come_in(town: Town) -> None:
    session = (await town.browser().sign_in(town.one)).data
    await town.world.db.execute("UPDATE account SET status = 'inactive'")
    answer = await town.browser().sign_in(town.one)
    assert (answer.status, answer.code) == (403, "FORBIDDEN")
    assert answer.message == "the account is not active"
    assert session["verified"]


async def test_a_deletion_erases_the_identities_and_the_user_starts_again(town: Town) -> None:
    session = (await town.browser().sign_in(town.one)).data
    gone = await town.world.call("DELETE", "/api/v1/users/me", headers=bearer(session))
    assert gone.status == 204, gone.body
    assert await town.count("identity") == 0
    again = (await town.browser().sign_in(town.one)).data
    assert again["user_id"] != session["user_id"]


async def test_an_export_has_the_identities(town: Town) -> None:
    session = (await town.browser().sign_in(town.one)).data
    export = await town.world.call("GET", "/api/v1/users/me/export", headers=bearer(session))
    assert export.status == 200, export.body
    (one,) = export.data["identities"]
    assert (one["issuer"], one["subject"]) == (town.one.issuer, "1234")
    assert datetime.fromisoformat(one["created_at"]) <= datetime.now(UTC)


async def test_keys_that_the_provider_has_changed_are_fetched_again(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await town.browser().sign_in(town.one)).status == 200
    town.one.keys = [OTHER]
    monkeypatch.setattr(kept, "_REFETCH_SECONDS", 0.0)
    assert (await town.browser().sign_in(town.one)).status == 200
    assert town.one.asked.count("/jwks") == 2


async def test_two_tabs_of_one_browser_come_back_in_any_order(town: Town) -> None:
    browser = town.browser()
    first, second = await browser.start(), await browser.start()
    cookies = dict(browser.cookies)
    assert (await browser.finish(town.one.authorize(second))).status == 200
    browser = Browser(town.world, cookies)
    assert (await browser.finish(town.one.authorize(first))).status == 200


async def test_first_sign_ins_at_once_all_come_into_one_account(town: Town) -> None:
    browsers = [town.browser() for _ in range(3)]
    backs = [town.one.authorize(await browser.start()) for browser in browsers]
    answers = await asyncio.gather(
        *(browser.finish(back) for browser, back in zip(browsers, backs, strict=True))
    )
    assert {answer.status for answer in answers} == {200}, [answer.body for answer in answers]
    assert len({answer.data["user_id"] for answer in answers}) == 1
