"""Attacks on the sign-in with identity providers: by providers, users and foreign pages."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from aiohttp import web
from argon2 import PasswordHasher
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from devstack.testing.wait import eventually
from lib.auth import csrf
from services.user.oidc.kept import Kept
from tests.clock import advance
from tests.conftest import NewDatabase
from tests.services.user.at_provider import LINKS, Browser, Town, running_town
from tests.services.user.played_provider import CLIENT, KEY, OTHER, Key
from tests.services.user.test_prehijacking import OWN, reset
from tests.services.user.test_released_addresses import RELEASE
from tests.services.user.test_second_factor import enrol
from tests.services.user.test_undo_address import CHANGED
from tests.services.user.world import AUTH, PASSWORD, Answer, bearer

VICTIM = "victim@example.com"
HOUR = 3600
# More than the machine needs, and much less than a request has: only `advance` makes one late.
OIDC_SECONDS = 50.0
REQUEST_SECONDS = 120.0


@pytest.fixture
async def town(
    new_database: NewDatabase, tmp_path: Path, settings: dict[str, Any]
) -> AsyncIterator[Town]:
    given = {"oidc_seconds": OIDC_SECONDS, "request_seconds": REQUEST_SECONDS}
    async with running_town(await new_database("user"), tmp_path, **(given | settings)) as town:
        yield town


async def refused(town: Town, answer: Answer, status: int = 401) -> None:
    """Check that no session was opened, and that any 5xx names the provider."""
    assert answer.status == status, answer.body
    assert answer.code == {401: "UNAUTHORIZED", 409: "CONFLICT"}[status]
    assert "access_token" not in str(answer.body)
    assert await town.count("session") == 0


def without(name: str) -> Callable[[Any], Any]:
    return lambda claims: {key: value for key, value in claims.items() if key != name}


def forged(header: dict[str, Any], claims: dict[str, Any], signature: bytes = b"") -> str:
    parts = [json.dumps(header).encode(), json.dumps(claims).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


# --- ID tokens ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda claims: claims | {"nonce": "another"}, id="another nonce"),
        pytest.param(without("nonce"), id="no nonce"),
        pytest.param(lambda claims: claims | {"nonce": [claims["nonce"]]}, id="a list of nonces"),
        pytest.param(lambda claims: claims | {"aud": "another"}, id="another audience"),
        pytest.param(
            lambda claims: claims | {"aud": "another", "azp": CLIENT}, id="an audience, and our azp"
        ),
        pytest.param(without("aud"), id="no audience"),
        pytest.param(lambda claims: claims | {"aud": [CLIENT, "another"]}, id="two, and no azp"),
        pytest.param(
            lambda claims: claims | {"aud": [CLIENT, "another"], "azp": "another"}, id="azp, two"
        ),
        pytest.param(lambda claims: claims | {"azp": "another"}, id="another azp"),
        pytest.param(lambda claims: claims | {"iss": "https://evil.example.com"}, id="an issuer"),
        pytest.param(lambda claims: claims | {"iss": claims["iss"] + "/"}, id="a slash more"),
        pytest.param(without("iss"), id="no issuer"),
        pytest.param(lambda claims: claims | {"exp": time.time() - HOUR}, id="expired"),
        pytest.param(without("exp"), id="no end"),
        pytest.param(lambda claims: claims | {"exp": "soon"}, id="an invalid end"),
        pytest.param(without("iat"), id="no beginning"),
        pytest.param(lambda claims: claims | {"iat": time.time() + HOUR}, id="from the future"),
        pytest.param(lambda claims: claims | {"nbf": time.time() + HOUR}, id="not yet"),
        pytest.param(without("sub"), id="no subject"),
        pytest.param(lambda claims: claims | {"sub": ""}, id="an empty subject"),
        pytest.param(lambda claims: claims | {"sub": None}, id="a subject that is null"),
        pytest.param(lambda claims: claims | {"sub": 1234}, id="a subject that is a number"),
        pytest.param(lambda claims: claims | {"sub": ["1234"]}, id="a list of subjects"),
        pytest.param(lambda claims: claims | {"sub": "x" * 256}, id="a long subject"),
        pytest.param(lambda claims: claims | {"sub": "12\x0034"}, id="a subject with a zero byte"),
        pytest.param(lambda claims: claims | {"at_hash": "another"}, id="for another access token"),
    ],
)
async def test_a_token_that_is_not_for_this_sign_in_opens_nothing(
    town: Town, change: Callable[[Any], Any]
) -> None:
    town.one.claims = change
    await refused(town, await town.browser().sign_in(town.one))
    assert await town.count("account") == 0
    assert await town.world.audited("login.failed") == 1


def _with_the_public_key(claims: dict[str, Any]) -> str:
    """Return a token signed with a public secret: HS256 over the public key."""
    public = KEY.private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    signed = forged({"alg": "HS256", "kid": KEY.kid}, claims).rpartition(".")[0]
    mac = hmac.new(public, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


@pytest.mark.parametrize(
    "sign",
    [
        pytest.param(lambda claims: forged({"alg": "none"}, claims), id="no algorithm"),
        pytest.param(
            lambda claims: forged({"alg": "none", "kid": KEY.kid}, claims), id="none, with a kid"
        ),
        pytest.param(
            lambda claims: forged({"alg": "RS256", "kid": KEY.kid}, claims), id="unsigned"
        ),
        pytest.param(_with_the_public_key, id="the public key as a secret"),
        pytest.param(
            lambda claims: jwt.encode(claims, OTHER.private, "RS256", headers={"kid": KEY.kid}),
            id="another key by its name",
        ),
        pytest.param(
            lambda claims: jwt.encode(claims, OTHER.private, "RS256", headers={"kid": "another"}),
            id="an unknown key",
        ),
        pytest.param(
            lambda claims: jwt.encode(
                claims, OTHER.private, "RS256", headers={"kid": KEY.kid, "jwk": OTHER.public()}
            ),
            id="the key in the header",
        ),
        pytest.param(
            lambda claims: jwt.encode(
                claims,
                OTHER.private,
                "RS256",
                headers={"kid": "x", "jku": "http://127.0.0.1:1/jwks", "x5u": "http://127.0.0.1:1"},
            ),
            id="an address of keys in the header",
        ),
        pytest.param(
            lambda claims: jwt.encode(
                claims, KEY.private, "RS256", headers={"kid": KEY.kid, "crit": ["x"], "x": 1}
            ),
            id="an extension that must be known",
        ),
        pytest.param(lambda claims: "no.token.at-all", id="no token"),
        pytest.param(lambda claims: "", id="an empty token"),
        pytest.param(lambda claims: "a.b.c.d.e", id="an encrypted token"),
        pytest.param(lambda claims: "x" * 100_000, id="a token without end"),
        pytest.param(lambda claims: KEY.private and forged({"kid": 1}, claims), id="no header"),
    ],
)
async def test_a_token_without_the_signature_of_the_provider_opens_nothing(
    town: Town, sign: Callable[[Any], str]
) -> None:
    town.one.sign = sign
    await refused(town, await town.browser().sign_in(town.one))


async def test_a_key_that_is_no_key_for_signatures_verifies_none(town: Town) -> None:
    weak = Key("weak", rsa.generate_private_key(public_exponent=65537, key_size=1024))
    shared = {"kty": "oct", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0", "kid": "shared"}
    keys = [weak.public(), shared, {**OTHER.public(), "use": "enc"}, {"kty": "AKP"}, {}, {"kty": 1}]
    town.one.answers["/jwks"] = lambda: web.json_response({"keys": keys})
    for sign in (
        lambda claims: town.one.token(claims, weak),
        lambda claims: town.one.token(claims, OTHER),
        lambda claims: jwt.encode(
            claims, b"secretsecretsecretsecret", "HS256", headers={"kid": "shared"}
        ),
    ):
        town.one.sign = sign
        await refused(town, await town.browser().sign_in(town.one))


async def test_a_single_key_for_encryption_verifies_no_token_without_a_name(town: Town) -> None:
    keys = [{**OTHER.public(), "use": "enc"}]
    town.one.answers["/jwks"] = lambda: web.json_response({"keys": keys})
    town.one.sign = lambda claims: jwt.encode(claims, OTHER.private, "RS256")
    await refused(town, await town.browser().sign_in(town.one))


async def test_invented_names_of_keys_make_no_load_at_the_provider(town: Town) -> None:
    town.one.sign = lambda claims: town.one.token(claims, OTHER)
    for _ in range(5):
        await refused(town, await town.browser().sign_in(town.one))
    assert town.one.asked.count("/jwks") == 1


async def test_a_userinfo_about_another_user_opens_nothing(town: Town) -> None:
    town.one.in_userinfo = True
    town.one.answers["/userinfo"] = lambda: web.json_response(town.one.user | {"sub": "5678"})
    await refused(town, await town.browser().sign_in(town.one))


async def test_an_address_of_the_userinfo_is_not_verified_by_the_token(town: Town) -> None:
    """The address and `email_verified` must come from the same document."""
    town.one.in_userinfo = True
    town.one.claims = lambda claims: claims | {"email_verified": True}
    town.one.user = without("email_verified")(town.one.user)
    assert (await town.browser().sign_in(town.one)).data["verified"] is False


# --- who began, and where -------------------------------------------------------------------------


async def test_a_sign_in_comes_back_once(town: Town) -> None:
    browser = town.browser()
    back = town.one.authorize(await browser.start())
    cookies = dict(browser.cookies)
    assert (await browser.finish(back)).status == 200
    for again in (Browser(town.world, cookies), browser):
        assert (await again.finish(back)).status == 401
    assert len(town.one.forms) == 1
    assert await town.count("session") == 1


async def test_a_state_signs_in_once_for_many_at_once(town: Town) -> None:
    browser = town.browser()
    back = town.one.authorize(await browser.start())
    tabs = [Browser(town.world, dict(browser.cookies)) for _ in range(8)]
    answers = await asyncio.gather(*(tab.finish(back) for tab in tabs))
    assert sorted(answer.status for answer in answers) == [200] + [401] * 7
    assert len(town.one.forms) == 1


async def test_a_sign_in_does_not_come_back_in_another_browser(town: Town) -> None:
    """Otherwise, a page could sign its visitor in to the account of its author."""
    attacker, victim = town.browser(), town.browser()
    back = town.one.authorize(await attacker.start())
    await refused(town, await victim.finish(back))
    await victim.start()
    await refused(town, await victim.finish(back))
    # Nor has the stranger spoilt it for the browser that it belongs to, or asked the provider.
    assert town.one.forms == []
    assert (await attacker.finish(back)).status == 200


async def test_invented_states_leave_nothing_in_the_audit_trail(town: Town) -> None:
    """The data would be stored for years, and only the rate limit counts such requests."""
    for state in ("x", "y" * 43):
        await refused(town, await town.browser().finish({"code": "c", "state": state}))
    assert await town.count("audit_entry") == 0


@pytest.mark.parametrize("cookie", ["", "x", "x" * 43, "x" * 4000])
async def test_a_cookie_that_is_not_the_browsers_opens_nothing(town: Town, cookie: str) -> None:
    back = town.one.authorize(await town.browser().start())
    name = "__Host-identity_request"
    await refused(town, await Browser(town.world, {name: cookie}).finish(back))


async def test_a_code_of_another_user_does_not_fit_the_state_of_this_browser(town: Town) -> None:
    """Neither the PKCE verifier nor the nonce is the attacker's."""
    attacker, victim = town.browser(), town.browser()
    stolen = town.one.authorize(await victim.start(), {"sub": "victim", "email": VICTIM})
    own = town.one.authorize(await attacker.start())
    await refused(town, await attacker.finish(own | {"code": stolen["code"]}))
    # And where the provider looks at no verifier, the nonce is another one.
    await town.world.db.execute("DELETE FROM attempt")
    url = await attacker.start()
    state = parse_qs(urlsplit(url).query)["state"][0]
    again = town.one.authorize(await victim.start(), {"sub": "victim", "email": VICTIM})
    known = town.one.codes[again["code"]]
    verifier = "SELECT verifier FROM identity_request ORDER BY expires_at LIMIT 1"
    known["code_challenge"] = create_s256_code_challenge(await town.world.db.fetchval(verifier))
    await refused(town, await attacker.finish(again | {"state": state}))
    assert len(town.one.forms) == 2


async def test_a_request_is_over_after_ten_minutes(town: Town) -> None:
    browser = town.browser()
    back = town.one.authorize(await browser.start())
    lasts = "SELECT extract(epoch FROM expires_at - now()) FROM identity_request"
    assert 590 < await town.world.db.fetchval(lasts) <= 600
    await town.world.db.execute(
        "UPDATE identity_request SET expires_at = now() - interval '1 second'"
    )
    await refused(town, await browser.finish(back))


async def test_a_provider_does_not_answer_for_another_one(town: Town) -> None:
    """A mix-up: the browser assumes one provider, and its code would go to the other one."""
    browser = town.browser()
    back = town.one.authorize(await browser.start())
    await refused(town, await browser.finish(back, "two"))
    await refused(town, await browser.finish(back | {"iss": town.two.issuer}))
    back = town.one.authorize(await browser.start())
    await refused(town, await browser.finish({**without("iss")(back)}))
    assert (town.one.forms, town.two.forms) == ([], [])


async def test_a_subject_of_another_issuer_is_another_user(town: Town) -> None:
    first = (await town.browser().sign_in(town.one)).data
    town.two.user |= {"sub": town.one.user["sub"], "email": VICTIM}
    other = (await town.browser().sign_in(town.two, "two")).data
    assert first["user_id"] != other["user_id"]


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example.com", "//evil.example.com", "/\\evil.example.com", "\\\\evil",
        "/\t/evil.example.com", "/\n/evil", "javascript:alert(1)", "", "orders", "/a\\b", "/ /evil",
        "/%00" + "x" * 600, "/é", "///evil.example.com", "/orders\n",
    ],
)  # fmt: skip
async def test_a_sign_in_leads_to_no_other_site(town: Town, path: str) -> None:
    answer = await town.world.post("identity-providers/one/start", {"return_to": path})
    assert (answer.status, answer.fields) == (400, {"return_to"})
    assert await town.count("identity_request") == 0


async def test_no_header_of_a_request_chooses_where_a_provider_sends_the_code(town: Town) -> None:
    evil = {"Host": "evil.example.com", "X-Forwarded-Host": "evil.example.com", "Origin": "null"}
    answer = await town.world.post("identity-providers/one/start", {}, headers=evil)
    query = parse_qs(urlsplit(answer.data["url"]).query)
    assert query["redirect_uri"] == ["https://shop.example.com/sign-in/one"]


async def test_a_form_of_another_site_starts_and_ends_nothing(town: Town) -> None:
    browser = town.browser()
    back = town.one.authorize(await browser.start())
    for path, body in (("start", {}), ("sign-in", back)):
        async with town.world.http.post(
            f"{AUTH}/identity-providers/one/{path}",
            data=json.dumps(body),
            headers={"Content-Type": "text/plain"},
            cookies=browser.cookies,
        ) as answer:
            assert answer.status in (400, 415), path
    assert await town.count("session") == 0


async def test_one_client_does_not_begin_without_end(town: Town) -> None:
    for _ in range(100):
        assert (await town.world.post("identity-providers/one/start", {})).status == 200
    answer = await town.world.post("identity-providers/one/start", {})
    assert (answer.status, answer.code) == (429, "RATE_LIMIT_EXCEEDED")
    assert await town.count("identity_request") == 100


# --- other people's accounts ----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["one", "two"])
@pytest.mark.parametrize("verified", [True, False])
async def test_an_address_opens_no_account_that_has_it(
    town: Town, name: str, verified: bool
) -> None:
    """This holds whatever the provider states, and whether or not the address is verified."""
    await town.world.register(VICTIM.upper())
    await town.world.db.execute("UPDATE account SET verified = $1", verified)
    provider = {"one": town.one, "two": town.two}[name]
    provider.user["email"] = VICTIM
    answer = await town.browser().sign_in(provider, name)
    await refused(town, answer, 409)
    assert answer.message.startswith("an account has this email address: sign in to it")
    assert (await town.count("identity"), await town.count("account")) == (0, 1)


async def test_an_address_that_was_given_up_a_moment_ago_makes_no_account(town: Town) -> None:
    owner = await town.world.proved(VICTIM)
    moved = {"email": "new@example.com"}
    me = "/api/v1/users/me"
    assert (await town.world.call("PATCH", me, moved, headers=bearer(owner))).status == 200
    town.one.user["email"] = VICTIM
    answer = await town.browser().sign_in(town.one)
    assert (answer.status, answer.code) == (409, "CONFLICT")


async def test_an_address_that_changes_at_the_provider_moves_no_user(town: Town) -> None:
    victim = await town.world.proved(VICTIM)
    thief = (await town.browser().sign_in(town.one)).data
    town.one.user["email"] = VICTIM
    again = (await town.browser().sign_in(town.one)).data
    assert again["user_id"] == thief["user_id"] != victim["user_id"]


async def test_addresses_are_not_asked_for_without_end(town: Town) -> None:
    await town.world.register(VICTIM)
    town.one.user["email"] = VICTIM
    answers = [await town.browser().sign_in(town.one) for _ in range(4)]
    assert [answer.status for answer in answers] == [409, 409, 429, 429]


async def test_a_link_needs_the_session_and_the_browser_that_began_it(town: Town) -> None:
    """Otherwise, a stranger links their own identity to the account of their visitor."""
    attacker, victim = await town.world.proved(), await town.world.proved(VICTIM)
    browser = town.browser()
    back = town.one.authorize(await browser.start_link(attacker))
    stolen = Browser(town.world, dict(browser.cookies))
    answers = [
        await town.browser().post(f"{LINKS}/one", back, attacker),  # another browser
        await stolen.post(f"{LINKS}/one", back, victim),  # another account
        await stolen.post(f"{LINKS}/one", back, (await town.world.login()).data),  # session
        await stolen.finish(back),  # a sign-in
        await stolen.post(f"{LINKS}/two", back, attacker),  # another provider
        await stolen.post(f"{LINKS}/one", back),  # no session
    ]
    assert [answer.status for answer in answers] == [401] * 6
    assert (await town.count("identity"), town.one.forms) == (0, [])
    assert (await stolen.post(f"{LINKS}/one", back, attacker)).status == 201


async def test_a_sign_in_that_was_started_links_nothing(town: Town) -> None:
    owner, browser = await town.world.proved(), town.browser()
    back = town.one.authorize(await browser.start())
    assert (await browser.post(f"{LINKS}/one", back, owner)).status == 401
    assert await town.count("identity") == 0


async def test_a_page_of_others_links_nothing_with_the_cookies_of_its_visitor(town: Town) -> None:
    owner = await town.world.proved()
    cookies = {"__Host-access_token": owner["access_token"], csrf.COOKIE: owner["csrf_token"]}
    for method, path in (("POST", f"{LINKS}/one/start"), ("POST", f"{LINKS}/one")):
        answer = await town.world.call(method, path, {}, cookies=cookies)
        assert (answer.status, answer.code) == (403, "FORBIDDEN")


async def test_links_are_changed_by_a_fresh_session_with_its_second_factor(town: Town) -> None:
    owner = await town.world.proved()
    linked = (await town.browser().link(town.one, owner)).data
    await enrol(town.world, owner)
    alone = (await town.world.login()).data
    calls = [
        ("POST", f"{LINKS}/two/start", {}),
        ("POST", f"{LINKS}/two", {"code": "c", "state": "s"}),
        ("DELETE", f"{LINKS}/{linked['id']}", None),
    ]
    for method, path, body in calls:
        answer = await town.world.call(method, path, body, headers=bearer(alone))
        assert (answer.status, answer.message) == (403, "verify your second factor first")
    await town.world.db.execute("UPDATE session SET created_at = now() - interval '16 minutes'")
    for method, path, body in (calls[0], calls[2]):
        answer = await town.world.call(method, path, body, headers=bearer(owner))
        assert (answer.status, answer.message) == (
            403,
            "this request requires a recent sign-in: sign in again",
        )


async def test_nothing_is_linked_by_a_session_that_ended_meanwhile(town: Town) -> None:
    owner, browser = await town.world.proved(), town.browser()
    back = town.one.authorize(await browser.start_link(owner))
    assert (await town.world.post("logout-all", headers=bearer(owner))).status == 204
    answer = await browser.post(f"{LINKS}/one", back, owner)
    assert answer.status == 403, answer.body
    assert await town.count("identity") == 0


async def test_a_user_links_nothing_before_the_address_is_verified(town: Town) -> None:
    session = await town.world.signed_up(VICTIM)
    answer = await town.browser().post(f"{LINKS}/one/start", {}, session)
    assert answer.status == 403
    assert answer.message.startswith("your email address is not verified")


async def test_an_identity_of_another_user_is_not_removed_or_shown(town: Town) -> None:
    owner, thief = await town.world.proved(VICTIM), await town.world.proved()
    linked = (await town.browser().link(town.one, owner)).data
    path = f"{LINKS}/{linked['id']}"
    answer = await town.world.call("DELETE", path, headers=bearer(thief))
    assert (answer.status, answer.code) == (404, "NOT_FOUND")
    assert (await town.world.call("GET", LINKS, headers=bearer(thief))).data == []
    assert await town.count("identity") == 1


async def test_an_account_has_no_identities_without_end(town: Town) -> None:
    owner = await town.world.proved()
    await town.world.db.execute(
        "INSERT INTO identity (id, account_id, issuer, subject, proved) SELECT gen_random_uuid(),"
        " $1, 'https://a.example.com', n::text, true FROM generate_series(1, 20) AS n",
        owner["user_id"],
    )
    answer = await town.browser().link(town.one, owner)
    assert (answer.status, answer.code) == (409, "CONFLICT")


# --- an account that waits for its owner ----------------------------------------------------------


async def test_a_reset_by_the_owner_of_the_address_ends_what_a_stranger_began(town: Town) -> None:
    town.two.user["email"] = VICTIM
    thief = (await town.browser().sign_in(town.two, "two")).data
    await reset(town.world)
    assert (await town.world.login(VICTIM, OWN)).data["user_id"] == thief["user_id"]
    assert await town.count("identity") == 0
    await refused_again(town)


async def test_a_reset_after_the_verification_ends_what_a_stranger_began(town: Town) -> None:
    """Earlier versions verified an address when the owner of its mailbox pressed the button."""
    town.two.user["email"] = VICTIM
    await town.browser().sign_in(town.two, "two")
    link = await town.world.token("Account verification", VICTIM)
    assert (await town.world.post("verify", {"token": link})).status == 403
    await town.world.db.execute("UPDATE account SET verified = true")
    await reset(town.world)
    await refused_again(town)


async def test_a_reset_leaves_the_identities_of_who_has_proved_the_address(town: Town) -> None:
    town.two.user["email"] = VICTIM
    session = (await town.browser().sign_in(town.two, "two")).data
    link = await town.world.token("Account verification", VICTIM)
    proved = await town.world.post("verify", {"token": link}, headers=bearer(session))
    assert proved.status == 204
    await reset(town.world)
    assert (await town.browser().sign_in(town.two, "two")).data["user_id"] == session["user_id"]


async def test_an_account_that_moves_to_an_address_leaves_it_to_its_owner(town: Town) -> None:
    thief = await town.world.proved()
    assert (await town.browser().link(town.two, thief, "two")).status == 201
    me, moved = "/api/v1/users/me", {"email": VICTIM}
    assert (await town.world.call("PATCH", me, moved, headers=bearer(thief))).status == 200
    assert (await town.world.post("password/forgot", {"email": VICTIM})).status == 204
    release = {"token": await town.world.token(RELEASE, VICTIM)}
    assert (await town.world.post("email/undo", release)).status == 204
    assert (await town.world.register(VICTIM)).status == 201
    await refused_again(town)


async def test_undoing_a_change_of_the_address_removes_what_was_linked_since(town: Town) -> None:
    owner = await town.world.proved(VICTIM)
    assert (await town.browser().link(town.one, owner)).status == 201
    thief = (await town.world.login(VICTIM)).data
    me, moved = "/api/v1/users/me", {"email": "thief@example.com"}
    assert (await town.world.call("PATCH", me, moved, headers=bearer(thief))).status == 200
    await town.world.db.execute("UPDATE account SET verified = true")
    thief = (await town.world.login("thief@example.com")).data
    assert (await town.browser().link(town.two, thief, "two")).status == 201
    undo = {"token": await town.world.token(CHANGED, VICTIM)}
    assert (await town.world.post("email/undo", undo)).status == 204
    issuers = await town.world.db.fetch("SELECT issuer FROM identity")
    assert [row["issuer"] for row in issuers] == [town.one.issuer]


async def test_an_identity_that_a_strangers_identity_linked_does_not_outlive_a_reset(
    town: Town,
) -> None:
    """An earlier version verified the address, and the stranger has returned."""
    town.two.user["email"] = VICTIM
    await town.browser().sign_in(town.two, "two")
    await town.world.db.execute("UPDATE account SET verified = true")
    thief = (await town.browser().sign_in(town.two, "two")).data
    assert (await town.browser().link(town.one, thief)).status == 201
    await reset(town.world)
    assert await town.count("identity") == 0


async def test_an_identity_of_a_former_address_does_not_outlive_a_reset(town: Town) -> None:
    thief = await town.world.proved()
    assert (await town.browser().link(town.two, thief, "two")).status == 201
    me, moved = "/api/v1/users/me", {"email": VICTIM}
    assert (await town.world.call("PATCH", me, moved, headers=bearer(thief))).status == 200
    await town.world.db.execute("UPDATE account SET verified = true")
    await reset(town.world)
    await refused_again(town)


async def refused_again(town: Town) -> None:
    """The stranger's identity gives no access any more."""
    answer = await town.browser().sign_in(town.two, "two")
    assert answer.status in (409, 200), answer.body
    if answer.status == 200:  # as a user of its own
        victim = "SELECT id::text FROM account WHERE email = $1"
        assert answer.data["user_id"] != await town.world.db.fetchval(victim, VICTIM)


# --- providers that fail --------------------------------------------------------------------------

ENDPOINTS = ["/.well-known/openid-configuration", "/jwks", "/token", "/userinfo"]


async def attempt(town: Town) -> Answer:
    """Return the first response of a whole sign-in that is not a success."""
    town.one.in_userinfo = True
    browser = town.browser()
    started = await browser.post(f"{AUTH}/identity-providers/one/start", {})
    if started.status != 200:
        return started
    return await browser.finish(town.one.authorize(started.data["url"]))


def _without_end(size: int = 300_000) -> web.Response:
    return web.Response(body=b'{"keys": [' + b" " * size + b"]}", content_type="application/json")


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(lambda: web.Response(text="<html>"), id="a page"),
        pytest.param(lambda: web.Response(status=500), id="a failure"),
        pytest.param(lambda: web.json_response([]), id="a list"),
        pytest.param(lambda: web.json_response({"keys": {}}), id="other fields"),
        pytest.param(lambda: web.Response(body=b"[" * 100_000), id="depth"),
        pytest.param(lambda: web.Response(body=b"\xff\xfe{}"), id="no text"),
        pytest.param(_without_end, id="no end"),
        pytest.param(
            lambda: web.Response(status=302, headers={"Location": "http://127.0.0.1:1/"}),
            id="a redirect",
        ),
        pytest.param(
            lambda: web.Response(body=b"x", headers={"Content-Encoding": "gzip"}), id="packed"
        ),
    ],
)
async def test_a_provider_that_answers_rubbish_is_a_503(
    town: Town, endpoint: str, answer: Callable[[], web.Response]
) -> None:
    town.one.answers[endpoint] = answer
    failed = await attempt(town)
    if endpoint == "/userinfo" and failed.status == 401:
        return  # a document without a subject
    assert (failed.status, failed.code) == (503, "SERVICE_UNAVAILABLE"), failed.body
    assert failed.message == "the identity provider is not available; try again later"
    assert await town.count("session") == 0


async def test_a_redirect_of_a_provider_is_not_followed(town: Town) -> None:
    keys = {"keys": [KEY.public()]}
    town.one.answers["/jwks"] = lambda: web.Response(status=302, headers={"Location": "/moved"})
    town.one.answers["/moved"] = lambda: web.json_response(keys)
    answer = await town.browser().sign_in(town.one)
    assert (answer.status, answer.code) == (503, "SERVICE_UNAVAILABLE")
    assert "/moved" not in town.one.asked


class Hanging:
    """The response of an endpoint that fails when the test ends, and not before."""

    def __init__(self) -> None:
        self.asked = 0
        self._over = asyncio.Event()

    async def __call__(self) -> web.Response:
        self.asked += 1
        await self._over.wait()
        return web.Response(status=500)

    def end(self) -> None:
        self._over.set()


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    hanging = Hanging()
    yield hanging
    hanging.end()


@pytest.mark.parametrize("endpoint", ENDPOINTS)
async def test_a_provider_that_does_not_answer_is_over_in_time(
    town: Town, endpoint: str, hanging: Hanging, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.one.answers[endpoint] = hanging
    attempted = asyncio.create_task(attempt(town))
    await eventually(lambda: hanging.asked > 0 or attempted.done())
    assert not attempted.done(), attempted.result()
    advance(monkeypatch, OIDC_SECONDS)
    await eventually(attempted.done)
    failed = attempted.result()
    assert (failed.status, failed.code) == (504, "DEADLINE_EXCEEDED"), failed.body


async def test_a_provider_that_is_away_is_left_alone_for_a_while(town: Town) -> None:
    town.one.answers[ENDPOINTS[0]] = lambda: web.Response(status=500)
    answers = [await attempt(town) for _ in range(12)]
    assert {answer.status for answer in answers} == {503}
    assert "CIRCUIT_OPEN" in {answer.code for answer in answers}
    # The other one is not concerned.
    assert (await town.browser().sign_in(town.two, "two")).status == 200


async def test_a_caller_in_a_hurry_does_not_take_the_document_from_others(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    callers, asked, answering = 0, asyncio.Event(), asyncio.Event()
    get, discovery = Kept.get, town.one._discovery

    async def counting(kept: Kept[Any]) -> Any:
        nonlocal callers
        callers += 1
        return await get(kept)

    async def late(request: web.Request) -> web.Response:
        asked.set()
        await answering.wait()
        return await discovery(request)

    monkeypatch.setattr(Kept, "get", counting)
    monkeypatch.setattr(town.one, "_discovery", late)
    start = partial(town.world.post, "identity-providers/one/start", {})
    hurried = asyncio.create_task(start(headers={"X-Deadline-Ms": "30000"}))
    await asked.wait()
    patient = asyncio.create_task(start())
    await eventually(lambda: callers == 2)
    advance(monkeypatch, 30)
    assert (await hurried).status == 504
    answering.set()
    assert (await patient).status == 200


async def test_a_provider_that_hangs_does_not_delay_another_one(
    town: Town, hanging: Hanging
) -> None:
    town.two.answers["/token"] = hanging
    browsers = [town.browser() for _ in range(50)]
    backs = [town.two.authorize(await browser.start("two")) for browser in browsers]
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(browser.finish(back, "two"))
            for browser, back in zip(browsers, backs, strict=True)
        ]
        await eventually(lambda: hanging.asked == len(tasks))
        assert (await town.browser().sign_in(town.one)).status == 200
        assert not any(task.done() for task in tasks)
        hanging.end()


@pytest.mark.parametrize(
    "change",
    [
        {"issuer": "https://evil.example.com"}, {"issuer": None}, {"token_endpoint": "file:///etc"},
        {"jwks_uri": "ftp://a.example.com"}, {"authorization_endpoint": "javascript:alert(1)"},
        {"userinfo_endpoint": "http://"}, {"token_endpoint": "http://[::1"}, {"jwks_uri": 1},
    ],
)  # fmt: skip
async def test_a_document_that_leads_elsewhere_is_refused(
    town: Town, change: dict[str, Any]
) -> None:
    town.one.metadata = change
    answer = await town.world.post("identity-providers/one/start", {})
    assert (answer.status, answer.code) == (503, "SERVICE_UNAVAILABLE")


async def test_a_refusal_of_the_provider_is_not_repeated_to_the_user(town: Town) -> None:
    said = {"error": "<script>alert(1)</script>", "error_description": "call 0900 123"}
    town.one.answers["/token"] = lambda: web.json_response(said, status=400)
    answer = await town.browser().sign_in(town.one)
    await refused(town, answer)
    assert "script" not in str(answer.body)
    assert "0900" not in str(answer.body)


async def test_a_secret_that_the_provider_refuses_is_our_failure(town: Town) -> None:
    refusal = {"error": "invalid_client"}
    town.one.answers["/token"] = lambda: web.json_response(refusal, status=401)
    answer = await town.browser().sign_in(town.one)
    assert (answer.status, answer.code) == (503, "SERVICE_UNAVAILABLE")


async def test_a_provider_learns_nothing_of_the_request_that_asks_it(town: Town) -> None:
    browser = town.browser()
    back = town.one.authorize(await browser.start())
    await town.world.post(
        "identity-providers/one/sign-in",
        back,
        headers={"X-Request-Id": "a-request", "traceparent": f"00-{'a' * 32}-{'b' * 16}-01"},
        cookies=browser.cookies | {"theirs": "a-cookie"},
    )
    sent = " ".join(f"{name}: {value}" for one in town.one.headers for name, value in one.items())
    assert not any(word in sent for word in ("a-request", "a" * 32, "a-cookie", "127.0.0.1, "))


async def test_a_code_is_sent_once_even_if_its_answer_is_lost(town: Town) -> None:
    town.one.answers["/token"] = lambda: web.Response(status=503)
    await town.browser().sign_in(town.one)
    assert town.one.asked.count("/token") == 1


async def test_nothing_secret_of_a_sign_in_is_in_the_log(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    town.one.claims = without("sub")
    browser = town.browser()
    back = town.one.authorize(await browser.start())
    await browser.finish(back)
    written = "".join(capsys.readouterr())
    assert "identity_refused" in written
    secrets = [back["code"], back["state"], "a-client-secret", *browser.cookies.values(), "access "]
    assert not any(secret in written for secret in secrets)


async def test_a_password_that_was_never_set_costs_what_every_password_costs(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    await town.browser().sign_in(town.one)
    hashed: list[str] = []
    verify = PasswordHasher.verify

    def counting(self: PasswordHasher, stored: str, password: str) -> bool:
        if stored.startswith("$argon2"):
            hashed.append(stored)
        return verify(self, stored, password)

    monkeypatch.setattr(PasswordHasher, "verify", counting)
    for address in ("ann@example.com", "nobody@example.com"):
        assert (await town.world.login(address, PASSWORD)).status == 401
    assert len(hashed) == 2
