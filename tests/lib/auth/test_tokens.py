"""Access tokens: issued tokens are valid, and any other token gives 401 and never a crash."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import example, given
from hypothesis import strategies as st

from devstack.testing.clock import Clock
from lib.auth import Issuer, Role, SigningKey, StaticKeys, Verifier, tokens
from lib.auth.permissions import permissions_of
from lib.auth.principal import Principal
from lib.auth.tokens import LEEWAY_SECONDS
from lib.errors import AppError, Code
from lib.ids import new_id

KEY = SigningKey.generate()
NOW = datetime(2030, 1, 1, tzinfo=UTC)
ISSUER, AUDIENCE = "https://issuer.test", "marketplace"


def verifier(clock: Callable[[], datetime] = lambda: NOW) -> Verifier:
    return Verifier(
        StaticKeys([KEY]), issuer=ISSUER, audience=AUDIENCE, clock=lambda: clock().timestamp()
    )


def issuer(clock: Callable[[], datetime] = lambda: NOW, key: SigningKey = KEY) -> Issuer:
    ttl = timedelta(minutes=15)
    return Issuer(key, issuer=ISSUER, audience=AUDIENCE, ttl=ttl, clock=clock)


def claims(**changes: Any) -> dict[str, Any]:
    now = int(NOW.timestamp())
    good: dict[str, Any] = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "user-1",
        "iat": now,
        "nbf": now,
        "exp": now + 900,
        "jti": "token-1",
        "roles": ["CUSTOMER"],
        "scope": "users:read",
        "verified": True,
        "sid": "session-1",
    }
    return {name: value for name, value in (good | changes).items() if value is not ...}


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(payload: dict[str, Any], **header: Any) -> str:
    named = {"kid": KEY.kid, "typ": "at+jwt"} | header
    named = {name: value for name, value in named.items() if value is not ...}
    # By hand: the library refuses to write some of what an attacker, or a bug, would.
    named = {"alg": "EdDSA", **named}
    content = ".".join(encoded(json.dumps(part).encode()) for part in (named, payload))
    return f"{content}.{encoded(KEY.private.sign(content.encode()))}"


async def refused(token: str, by: Verifier | None = None) -> None:
    with pytest.raises(AppError) as error:
        await (by or verifier()).verify(token)
    assert error.value.code is Code.UNAUTHORIZED
    assert error.value.headers == {"WWW-Authenticate": "Bearer"}


async def test_what_is_issued_verifies() -> None:
    token = issuer().issue(
        "user-1", [Role.CUSTOMER, Role.STAFF], ["users:read", "users:write"], verified=True,
        session="session-1",
    )  # fmt: skip
    principal = await verifier().verify(token.token)
    assert principal.subject == "user-1"
    assert principal.roles == {Role.CUSTOMER, Role.STAFF}
    assert principal.permissions == {"users:read", "users:write"}
    assert (principal.verified, principal.session) == (True, "session-1")
    assert principal.token_id == token.token_id
    assert token.expires_at == NOW + timedelta(minutes=15)
    assert token.token not in repr(token)


async def test_the_hand_made_token_of_these_tests_is_a_good_one() -> None:
    assert (await verifier().verify(signed(claims()))).subject == "user-1"


now = int(NOW.timestamp())


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://other.test"}, {"iss": ...}, {"iss": [ISSUER]}, {"iss": None},
        {"aud": "other"}, {"aud": ...}, {"aud": [AUDIENCE]}, {"aud": 7},
        {"sub": ...}, {"sub": 7}, {"sub": ""}, {"sub": "x" * 201}, {"sub": {"id": 1}},
        {"jti": ...}, {"jti": 7}, {"jti": ""},
        {"exp": ...}, {"exp": now - 5}, {"exp": "soon"}, {"exp": [now]}, {"exp": None},
        {"exp": 1e400}, {"exp": float("nan")}, {"exp": 10**400}, {"exp": True},
        {"nbf": ...}, {"nbf": now + 6}, {"nbf": "x"}, {"nbf": []},
        {"iat": ...}, {"iat": now + 6}, {"iat": {}}, {"iat": None},
        {"roles": ...}, {"roles": "ADMIN"}, {"roles": ["KING"]}, {"roles": [1]}, {"roles": None},
        {"scope": ["users:read"]}, {"scope": None},
        {"verified": "yes"}, {"verified": 1}, {"sid": 5},
    ],
    ids=repr,
)  # fmt: skip
async def test_a_claim_that_is_missing_wrong_or_malformed_is_401(changes: dict[str, Any]) -> None:
    await refused(signed(claims(**changes)))


@pytest.mark.parametrize(
    "header",
    [{"kid": ...}, {"kid": "other"}, {"kid": 7}, {"typ": "JWT"}, {"typ": ...}, {"crit": ["x"]}],
    ids=repr,
)
async def test_a_header_that_does_not_name_our_key_and_type_is_401(header: dict[str, Any]) -> None:
    await refused(signed(claims(), **header))


async def test_the_algorithm_is_pinned() -> None:
    public = KEY.private.public_key().public_bytes_raw()
    headers = {"kid": KEY.kid, "typ": "at+jwt"}
    await refused(jwt.encode(claims(), None, algorithm="none", headers=headers))
    # The old trick: the public key as the secret of an HMAC.
    await refused(jwt.encode(claims(), public, algorithm="HS256", headers=headers))
    curve = ec.generate_private_key(ec.SECP256R1())
    await refused(jwt.encode(claims(), curve, algorithm="ES256", headers=headers))


async def test_another_key_under_our_name_is_401() -> None:
    forger = SigningKey(SigningKey.generate().private, KEY.kid)
    await refused(issuer(key=forger).issue("user-1", [Role.ADMIN], []).token)


@given(position=st.integers(0, 10_000), letter=st.sampled_from("ABCDxyz019-_."))
async def test_no_changed_letter_survives(position: int, letter: str) -> None:
    token = signed(claims())
    position %= len(token)
    changed = token[:position] + letter + token[position + 1 :]
    # The last letter of base64 has spare bits; a change of those is none of the content.
    if changed == token or position == len(token) - 1:
        return
    await refused(changed)


@given(st.one_of(st.text(max_size=200), st.binary(max_size=200).map(lambda b: b.decode("latin-1"))))
@example("..")
@example("a.b.c")
@example("eyJhbGciOiJFZERTQSJ9..")
@example("x" * 100_000)
@example("[" * 5000 + ".e30.e30")
async def test_garbage_is_401(text: str) -> None:
    await refused(text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(st.sampled_from([*claims()]), json_values)
async def test_a_signed_claim_of_any_shape_verifies_or_is_401(name: str, value: Any) -> None:
    code = Code.UNAUTHORIZED
    try:
        await verifier().verify(signed(claims(**{name: value})))
    except AppError as error:
        code = error.code
    assert code is Code.UNAUTHORIZED


async def test_a_token_ends_when_it_says_also_when_it_is_remembered() -> None:
    clock = Clock(NOW)
    token, checks = issuer(clock).issue("user-1", [], []).token, verifier(clock)
    await checks.verify(token)
    clock.now = NOW + timedelta(minutes=15, seconds=LEEWAY_SECONDS - 1)
    await checks.verify(token)
    clock.now = NOW + timedelta(minutes=15, seconds=LEEWAY_SECONDS)
    await refused(token, checks)
    await refused(token, verifier(clock))


async def test_a_tampered_copy_of_a_remembered_token_is_401() -> None:
    checks = verifier()
    token = signed(claims())
    await checks.verify(token)
    head, body, signature = token.split(".")
    other = "B" if signature[0] == "A" else "A"
    await refused(".".join([head, body, other + signature[1:]]), checks)


async def test_only_a_token_that_was_found_good_and_lives_is_recalled() -> None:
    clock = Clock(NOW)
    token, checks = issuer(clock).issue("user-1", [], []).token, verifier(clock)
    assert checks.recall(token) is None
    principal = await checks.verify(token)
    assert checks.recall(token).principal == principal
    for other in (token + "x", "é", "x" * 9000, ""):
        assert checks.recall(other) is None
    clock.now = NOW + timedelta(minutes=15, seconds=LEEWAY_SECONDS)
    assert checks.recall(token) is None


async def test_a_token_of_a_withdrawn_key_is_recalled_until_it_is_checked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tokens, "_CACHE_SECONDS", 0.0)
    keys = StaticKeys([KEY])
    checks = Verifier(keys, issuer=ISSUER, audience=AUDIENCE, clock=NOW.timestamp)
    token = issuer().issue("order", [], []).token
    await checks.verify(token)
    monkeypatch.setattr(keys, "_keys", {})
    assert checks.recall(token) is not None
    await refused(token, checks)
    assert checks.recall(token) is None


def test_a_key_survives_its_pem_and_keeps_its_name() -> None:
    assert SigningKey.from_pem(KEY.pem()).kid == KEY.kid
    assert "private" not in repr(KEY)


BAD_PEM = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"


@pytest.mark.parametrize("pem", ["", "no key", BAD_PEM])
def test_a_pem_that_is_none_is_said_to_be_so(pem: str) -> None:
    with pytest.raises(ValueError, match="the signing key is not"):
        SigningKey.from_pem(pem)


def test_roles_together_may_do_what_each_may() -> None:
    grants = {Role.STAFF: frozenset({"a:b"}), Role.ADMIN: frozenset({"a:b", "c:d"})}
    assert permissions_of([Role.STAFF, Role.CUSTOMER], grants) == {"a:b"}
    assert permissions_of([Role.STAFF, Role.ADMIN], grants) == {"a:b", "c:d"}
    assert permissions_of([], grants) == frozenset()


def test_the_account_of_a_caller_is_none_for_a_service() -> None:
    account = new_id()
    for subject, expected in ((str(account), account), ("order", None)):
        principal = Principal(subject, frozenset(), frozenset(), False, "", "t", 0.0)
        assert principal.account_id == expected
