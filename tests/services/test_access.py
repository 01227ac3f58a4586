"""Every route enforces the access that it declares, and is strict by default."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web
from msgspec.structs import replace

from lib.auth import Principal, Role, permissions
from lib.auth.access import PUBLIC, When, declared, signed_in
from lib.auth.guards import forbidden
from lib.auth.principal import Permission, set_principal
from lib.errors import AppError
from services.department import app as department
from tools import access_page, specs

ROUTES = sorted(access_page.routes())
WRITES = ("POST", "PUT", "PATCH", "DELETE")
# Whoever may do everything has signed in just now, shown the factor, and proved the address.
ANYBODY = Principal(
    subject="01890000-0000-7000-8000-0000000000aa",
    roles=frozenset(set(Role) - {Role.SERVICE}),
    permissions=frozenset(map(Permission, permissions.declared())),
    verified=True,
    session="01890000-0000-7000-8000-0000000000bb",
    token_id="t",
    expires_at=1e12,
    signed_in_at=1e12,
)
FLAWS = {
    "second_factor": ({"second_factor_wanted": True}, "verify your second factor first"),
    "fresh": ({"signed_in_at": 0.0}, "this request requires a recent sign-in: sign in again"),
    "verified": (
        {"verified": False},
        "your email address is not verified; if you have just verified",
    ),
    "services": (
        {"roles": frozenset({Role.SERVICE})},
        "this request is for users, not for services",
    ),
}
# What a token may do whose second factor was not shown: show it, and add the first one.
WITHOUT_FACTOR = {
    "GET /api/v1/auth/second-factor",
    "POST /api/v1/auth/second-factor",
    "POST /api/v1/auth/passkeys/challenge",
}
FACTORS = {
    "POST /api/v1/auth/totp",
    "POST /api/v1/auth/totp/confirm",
    "DELETE /api/v1/auth/totp",
    "POST /api/v1/auth/recovery-codes",
    "POST /api/v1/auth/passkeys",
    "POST /api/v1/auth/passkeys/options",
    "DELETE /api/v1/auth/passkeys/{id}",
}
IDENTITIES = {
    "POST /api/v1/users/me/identities/{name}",
    "POST /api/v1/users/me/identities/{name}/start",
    "DELETE /api/v1/users/me/identities/{id}",
}
# What somebody does with their own account before its address is proved.
UNVERIFIED = {
    *WITHOUT_FACTOR,
    "POST /api/v1/auth/logout-all",
    "DELETE /api/v1/auth/sessions/{id}",
    "PATCH /api/v1/me/change-password",
    "PATCH /api/v1/users/me/change-password",
    "PATCH /api/v1/user/me/change-password",
    *(f"{method} /api/v1/users/{{id}}" for method in ("GET", "PUT", "PATCH", "DELETE")),
    *(f"{method} /api/v1/user/{{id}}" for method in ("GET", "PATCH", "DELETE")),
    "DELETE /api/v1/users/{id}/picture",
}
# What gives the account away, or all that is known of its owner.
FRESH = {
    *FACTORS,
    *IDENTITIES,
    "PATCH /api/v1/me/change-password",
    "PATCH /api/v1/users/me/change-password",
    "PATCH /api/v1/user/me/change-password",
    "GET /api/v1/users/me/export",
    "DELETE /api/v1/users/{id}",
    "DELETE /api/v1/user/{id}",
    *(f"{method} /api/v1/{path}" for method, path in (
        ("POST", "roles"), ("PUT", "roles/{name}"), ("DELETE", "roles/{name}"),
        ("POST", "permissions"), ("DELETE", "permissions/{name}"), ("PUT", "users/{id}/role"),
        ("DELETE", "users/{id}/second-factor"),
    )),
}  # fmt: skip


def test_a_service_does_not_start_with_a_route_that_declares_nothing(monkeypatch) -> None:
    async def forgotten(request: web.Request) -> web.Response:
        return web.Response()

    monkeypatch.setattr(department, "route", [web.get("/api/v1/forgotten", forgotten)])
    with pytest.raises(TypeError, match="/api/v1/forgotten has no access rule"):
        specs.application("department")


def test_routes_that_are_less_strict_than_the_default_are_these() -> None:
    closed = [route for route in ROUTES if not route.access.open]
    assert {r.name for r in closed if r.access.second_factor is not True} == (
        WITHOUT_FACTOR | FACTORS | IDENTITIES
    )
    assert {
        r.name
        for r in closed
        if r.access.verified is not True and (r.name.startswith(WRITES) or r.access.verified)
    } == UNVERIFIED - {"GET /api/v1/auth/second-factor"}
    assert {r.name for r in closed if r.access.fresh is True} == FRESH
    assert {r.name for r in closed if r.access.services} == {
        "GET /api/v1/users",
        "GET /api/v1/users/{id}",
        "GET /api/v1/user/{id}",
        *(r.name for r in ROUTES if "/api/v1/reservations" in r.name or r.name.startswith("gRPC")),
    }


def test_open_routes_that_change_something_are_these() -> None:
    assert {r.name for r in ROUTES if r.access.open and not r.name.startswith("GET")} == {
        f"POST /api/v1/auth/{name}"
        for name in (
            "login", "token", "refresh", "logout", "verify", "email/undo", "register/customer",
            "register/provider", "resend-verification", "resend-confirmation", "password/forgot",
            "password/reset", "identity-providers/{name}/start",
            "identity-providers/{name}/sign-in",
        )
    }  # fmt: skip


def handlers() -> list[Any]:
    """Return every HTTP handler that routes declare, by service; the socket has its own test."""
    found = []
    for name in sorted({route.service for route in ROUTES}):
        for route in specs.application(name).router.routes():
            access = declared(route.handler)
            where = f"{route.method} {route.resource.canonical if route.resource else ''}"
            if access and not access.open and not where.endswith("/ws") and "HEAD" not in where:
                found.append(pytest.param(route.handler, access, id=f"{name} {where}"))
    return found


@pytest.mark.parametrize(("handler", "access"), handlers())
async def test_a_route_refuses_whoever_lacks_what_it_declares(handler, access, subtests) -> None:
    """The test calls the handler itself; its request is None, because it must not read it."""
    for what, (flaw, message) in FLAWS.items():
        wanted = getattr(access, what)
        refuses = wanted is not True if what == "services" else wanted is True
        with subtests.test(what=what):
            set_principal(replace(ANYBODY, **flaw))
            # Past the guards it begins to read the request, which has no attributes.
            with pytest.raises((AppError, AttributeError)) as raised:
                await handler(None)
            set_principal(None)
            said = raised.value.message if isinstance(raised.value, AppError) else ""
            assert said.startswith(message) is refuses, said or "the request was read"


def test_a_guard_comes_before_the_address_and_after_the_factor() -> None:
    def refuse(_: Principal) -> None:
        raise forbidden("not you")

    check = signed_in(refuse).of("POST").resolved()
    for flaws, message in (
        ({"verified": False}, "not you"),
        ({"verified": False, "second_factor_wanted": True}, "verify your second factor first"),
    ):
        with pytest.raises(AppError, match=message):
            check(replace(ANYBODY, **flaws))


def test_reading_asks_for_no_verified_address_unless_it_says_so() -> None:
    assert signed_in().of("GET").verified is False
    assert signed_in().of("POST").verified is True
    assert signed_in(verified=False).of("POST").verified is False
    assert signed_in(verified=When("x")).of("GET").verified == When("x")
    assert PUBLIC.of("POST").verified is False
