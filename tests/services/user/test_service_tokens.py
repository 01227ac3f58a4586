"""Services sign in with a name and a secret, and have no account."""

from __future__ import annotations

import hashlib

import jwt
import pytest

from lib.errors import AppError
from lib.http.client_credentials import ServiceLoginSettings, service_tokens
from services.user.clients import SCOPES, parse_clients

ALICE = "01890000-0000-7000-8000-000000000001"
SECRET = "order-secret-of-24-chars"


@pytest.fixture
def settings():
    return {"service_clients": f"order:{SECRET}"}


def sign_in(world, name: str = "order", secret: str = SECRET):
    return world.post("token", {"client_id": name, "client_secret": secret})


async def test_a_service_gets_a_token_with_the_permissions_of_its_role(world) -> None:
    await world.db.execute(
        "INSERT INTO role_permission (role, permission) VALUES ('SERVICE', 'users:read')"
        " ON CONFLICT DO NOTHING"
    )
    answer = await sign_in(world)
    assert answer.status == 200
    assert not answer.cookies
    token = answer.data["access_token"]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert (claims["sub"], claims["roles"]) == ("order", ["SERVICE"])
    headers = {"Authorization": f"Bearer {token}"}
    assert (await world.call("GET", "/api/v1/users", headers=headers)).status == 200
    # It has no account: what is about one's own is not for it.
    for method, path in (("GET", "auth/sessions"), ("POST", "auth/logout-all")):
        assert (await world.call(method, f"/api/v1/{path}", headers=headers)).status == 403
    assert await world.audited("service.signed_in") == 1


@pytest.mark.parametrize("demo", [True])
async def test_a_service_sees_who_somebody_is_and_changes_nothing(world) -> None:
    token = (await sign_in(world)).data["access_token"]
    headers, path = {"Authorization": f"Bearer {token}"}, f"/api/v1/users/{ALICE}"
    shown = await world.call("GET", path, headers=headers)
    assert (shown.status, shown.data["status"]) == (200, "active")
    assert "employment" not in shown.data
    changed = {"first_name": "Eve"}
    for method, body in (("PATCH", changed), ("DELETE", None)):
        sent = headers | {"If-Match": "*"}
        assert (await world.call(method, path, body, headers=sent)).status == 403


async def test_the_librarys_client_signs_in_and_keeps_its_token(world) -> None:
    base = str(world.http._base_url).rstrip("/")

    def login(secret: str) -> ServiceLoginSettings:
        return ServiceLoginSettings(
            _env_file=None,
            auth_token_url=f"{base}/api/v1/auth/token",
            auth_client_id="order",
            auth_client_secret=secret,
        )

    tokens = service_tokens(login(SECRET))
    first = await tokens.headers()
    assert (await world.call("GET", "/api/v1/users", headers=first)).status in (200, 403)
    assert await tokens.headers() == first
    with pytest.raises(AppError, match="invalid client credentials"):
        await service_tokens(login("wrong")).token()


async def test_an_unknown_service_and_a_wrong_secret_get_the_same_answer(world) -> None:
    for name, secret in (("order", "wrong"), ("stranger", SECRET), ("stranger", "wrong")):
        answer = await sign_in(world, name, secret)
        assert (answer.status, answer.message) == (401, "invalid client credentials")


async def test_a_secret_cannot_be_guessed_for_long(world) -> None:
    for _ in range(5):
        assert (await sign_in(world, secret="wrong")).status == 401
    assert (await sign_in(world)).status == 429


@pytest.mark.parametrize("settings", [{}])
async def test_without_configured_services_none_signs_in(world) -> None:
    assert (await sign_in(world)).status == 401


@pytest.mark.parametrize(
    "text", ["order", f"Order:{SECRET}", "order:short", f"order:{SECRET},order:{SECRET}"]
)
def test_clients_that_make_no_sense_are_refused_without_repeating_secrets(text: str) -> None:
    with pytest.raises(ValueError, match=r"entry|less") as caught:
        parse_clients(text)
    assert SECRET not in str(caught.value)


def test_a_secret_may_be_at_rest_as_its_hash() -> None:
    hashed = hashlib.sha256(SECRET.encode()).hexdigest()
    assert parse_clients(f"order:sha256:{hashed}") == parse_clients(f"order:{SECRET}")


async def test_a_service_asks_for_less_than_it_has_and_never_for_more(world) -> None:
    await world.db.execute(
        "INSERT INTO role_permission (role, permission)"
        " VALUES ('SERVICE', 'users:read'), ('SERVICE', 'jobs:read') ON CONFLICT DO NOTHING"
    )
    everything = (await sign_in(world)).data
    assert (everything["roles"], len(everything["permissions"]) > 1) == (["SERVICE"], True)
    login = {"client_id": "order", "client_secret": SECRET}
    one = everything["permissions"][:1]
    less = (await world.post("token", login | {"roles": ["SERVICE"], "permissions": one})).data
    claims = jwt.decode(less["access_token"], options={"verify_signature": False})
    assert (less["permissions"], claims["scope"]) == (one, one[0])
    for more in ({"roles": ["ADMIN"]}, {"permissions": ["roles:write"]}):
        answer = await world.post("token", login | more)
        assert (answer.status, answer.message.endswith("are not allowed")) == (403, True)


@pytest.mark.parametrize("demo", [True])
@pytest.mark.parametrize("settings", [{"service_clients": f"order:{SECRET},chat:{SECRET}"}])
@pytest.mark.parametrize(
    ("name", "asked_for", "seen"),
    [
        ("order", None, 200),
        ("order", ["service:users"], 200),
        ("order", ["service:reservations"], 403),  # what product is shown is worth nothing here
        ("chat", None, 403),
        ("chat", ["service:users"], "refused"),
    ],
)
async def test_a_service_can_do_what_is_its_own_to_do_and_nothing_of_another_s(
    world, name, asked_for, seen
) -> None:
    login = {"client_id": name, "client_secret": SECRET}
    answer = await world.post("token", login | {"permissions": asked_for} if asked_for else login)
    if seen == "refused":
        assert (answer.status, answer.message) == (403, "the requested permissions are not allowed")
        return
    headers = {"Authorization": f"Bearer {answer.data['access_token']}"}
    found = await world.call("GET", f"/api/v1/users/{ALICE}", headers=headers)
    assert found.status == seen


def test_no_two_services_may_ask_the_same_of_others() -> None:
    """Exceptions are listed here: an attacker of one such service gets the access of the other."""
    given = [scope for scopes in SCOPES.values() for scope in scopes]
    assert len(given) == len(set(given))
    assert all(scope.startswith("service:") for scope in given)
