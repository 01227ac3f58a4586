"""One file declares the permissions; guards refuse unknown ones and name missing ones."""

from __future__ import annotations

import pytest

from lib.auth import Principal, Role, require
from lib.auth.guards import lacking, require_one
from lib.auth.permissions import built_in_grants, permission, read, service_scopes
from lib.errors import AppError


def caller(role: Role, *permissions: str) -> Principal:
    return Principal("x", frozenset({role}), frozenset(permissions), True, "", "t", 0.0)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("users:wirte", "did you mean users:write?"),
        ("nothing:like-it-at-all", "add the permission to services/permissions.toml"),
    ],
)
@pytest.mark.parametrize("asks", [permission, require, require_one])
def test_an_unknown_permission_fails_where_the_code_asks_for_it(asks, name, hint):
    with pytest.raises(LookupError, match=f"unknown permission {name}: ") as refused:
        asks(name)
    assert hint in str(refused.value)


@pytest.mark.parametrize("role", [Role.ADMIN, Role.STAFF, Role.MODERATOR, Role.SERVICE])
def test_a_refusal_names_the_missing_permission_to_staff_and_services(role):
    with pytest.raises(AppError) as refused:
        require("users:read", "users:write")(caller(role, "users:read"))
    assert (
        refused.value.message
        == "you are not allowed to do this: you need the permission `users:write`"
    )
    assert "permissions `users:read` or `users:write`" in str(
        lacking(caller(role), permission("users:read"), permission("users:write"), any_of=True)
    )


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.PROVIDER])
def test_a_refusal_names_no_permission_to_customers_and_providers(role):
    for guard in (require("users:write"), require_one("users:read", "users:write")):
        with pytest.raises(AppError) as refused:
            guard(caller(role))
        assert refused.value.message == "you are not allowed to do this"


@pytest.mark.parametrize(
    "text",
    [
        '["a:b"]\ndescription = "x"\nroles = ["KING"]',
        '["a:b"]\ndescription = "x"\nrole = ["ADMIN"]',
        '["a:b"]\ndescription = "x"\nservices = ["order"]',
        '["service:b"]\ndescription = "x"\nroles = ["ADMIN"]',
        '["a:b"]',
        "not toml",
    ],
)
def test_a_file_that_makes_no_sense_is_refused(text):
    with pytest.raises(ValueError, match=r".+"):
        read(text)


def test_the_file_says_who_has_a_permission_at_first():
    assert "users:read" in built_in_grants()[Role.STAFF]
    assert Role.CUSTOMER not in built_in_grants()
    assert service_scopes() == {"order": {"service:users", "service:reservations"}}
