"""The databases that must prove their identity, and the warning for those that need not."""

from __future__ import annotations

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from lib.config import DatabaseSettings
from lib.database_url import leaves_tls_open
from lib.db.open_tls import warn_of_open_tls


@pytest.mark.parametrize(
    ("url", "missing"),
    [
        ("mysql://a:b@db.example/x", "ssl-mode"),
        ("mysql://a:b@db.example:3306/x?ssl-mode=REQUIRED", "ssl-mode"),
        ("mysql://a:b@db.example/x?ssl-mode=verify_ca&ssl-ca=/ca.pem", None),
        ("mysql://a:b@db.example/x?ssl-mode=VERIFY_IDENTITY", None),
        ("mysql://a:b@db.example/x?ssl-mode=DISABLED", None),
        ("mysql://a:b@127.0.0.1/x", None),
        ("postgresql://a:b@db.example/x", "sslmode"),
        ("postgresql://a:b@db.example/x?sslmode=require", "sslmode"),
        ("postgresql://a:b@db.example/x?sslmode=verify-full", None),
        ("postgresql://a:b@db.example/x?sslmode=disable", None),
        ("postgresql://a:b@localhost:5432/x", None),
        ("postgresql://a:b@[::1]:5432/x", None),
        ("postgresql://a:b@[2001:db8::1]:5432/x", "sslmode"),
        ("postgresql://a:b@10.0.0.7/x", "sslmode"),
        ("postgresql://a:b@localhost,db.example/x", "sslmode"),
        ("postgresql://a@%2Frun%2Fpostgres/x", None),
        ("postgresql:///x?host=/run/postgres", None),
        ("postgresql:///x?host=db.example", "sslmode"),
    ],
)
def test_a_database_on_another_machine_is_verified_or_said_to_be_without(url, missing) -> None:
    assert leaves_tls_open(url) == missing


@pytest.mark.parametrize(("environment", "is_said"), [("production", True), ("development", False)])
def test_production_says_in_the_log_what_the_url_does_not(environment, is_said) -> None:
    settings = DatabaseSettings.model_validate(
        {"database_url": SecretStr("mysql://a:hunter2@db.example/x"), "environment": environment}
    )
    with capture_logs() as lines:
        warn_of_open_tls(settings)
    assert [line["missing_parameter"] for line in lines] == ["ssl-mode"] * is_said
    assert "hunter2" not in str(lines)
