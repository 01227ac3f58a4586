"""The environment configures breaker and limits; an invalid value is reported by name."""

from __future__ import annotations

import pytest

from lib.config import ConfigError, load
from lib.limits import TokenBucket, Window
from lib.limits.settings import LimitSettings
from lib.resilience import BreakerPolicy
from lib.resilience.settings import BreakerSettings


def test_without_environment_the_defaults_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(BreakerSettings).breaker_policy() == BreakerPolicy()
    limits = load(LimitSettings)
    assert (limits.per_client(), limits.per_user()) == (TokenBucket(100.0, 200), Window(600, 60.0))
    assert limits.proxies().client("127.0.0.1", ["203.0.113.9"]) == "203.0.113.9"


def test_each_number_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "CIRCUIT_BREAKER_MIN_REQUESTS": "5",
        "CIRCUIT_BREAKER_FAILURE_RATIO": "0.75",
        "CIRCUIT_BREAKER_INTERVAL": "10",
        "CIRCUIT_BREAKER_TIMEOUT": "3",
        "CIRCUIT_BREAKER_MAX_REQUESTS": "1",
        "RATE_LIMIT": "7",
        "RATE_LIMIT_BURST": "9",
        "TRUSTED_PROXIES": "10.0.0.0/8, fd00::/8",
    }.items():
        monkeypatch.setenv(name, value)
    assert load(BreakerSettings).breaker_policy() == BreakerPolicy(5, 0.75, 10.0, 3.0, 1)
    limits = load(LimitSettings)
    assert limits.per_client() == TokenBucket(7.0, 9)
    assert limits.trusted_proxies == ("10.0.0.0/8", "fd00::/8")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CIRCUIT_BREAKER_FAILURE_RATIO", "1.5"),
        ("CIRCUIT_BREAKER_TIMEOUT", "0"),
        ("RATE_LIMIT", "-1"),
        ("TRUSTED_PROXIES", "example.com"),
    ],
)
def test_a_senseless_value_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=name):
        load(BreakerSettings if name.startswith("CIRCUIT") else LimitSettings)
