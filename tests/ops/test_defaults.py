"""Defaults on which operators and users rely, as the documents of the legacy systems state them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lib.config import DatabaseSettings
from lib.db import mysql, postgres
from lib.limits import TokenBucket
from lib.limits.rules import Window
from lib.limits.settings import LimitSettings
from lib.resilience.settings import BreakerSettings
from services.catalog.routes import answers
from services.user.config import UserConfig
from services.user.service import pictures

HOUR = 3600.0
SETTINGS = {
    (LimitSettings, "rate_limit"): 100.0,
    (LimitSettings, "rate_limit_burst"): 200,
    (LimitSettings, "user_rate_limit"): 600,
    (LimitSettings, "user_rate_seconds"): 60.0,
    (BreakerSettings, "circuit_min_requests"): 3,
    (BreakerSettings, "circuit_failure_ratio"): 0.5,
    (BreakerSettings, "circuit_interval"): 60.0,
    (BreakerSettings, "circuit_timeout"): 30.0,
    (BreakerSettings, "circuit_max_requests"): 3,
    (DatabaseSettings, "db_lifetime_seconds"): 1800.0,
    (DatabaseSettings, "db_pool_min"): 2,
    (DatabaseSettings, "db_pool_max"): 10,
    (UserConfig, "verification_seconds"): 168 * HOUR,
}


@pytest.mark.parametrize(("spec", "field"), SETTINGS)
def test_a_setting_has_its_documented_default(spec, field):
    assert spec.model_fields[field].default == SETTINGS[spec, field]


def test_a_link_to_a_picture_is_good_for_a_day():
    assert timedelta(hours=24) == pictures.LINK_TTL


def test_the_catalog_is_kept_for_five_minutes_and_its_lists_for_one():
    assert (answers.ITEM_SECONDS, answers.LIST_SECONDS) == (300, 60)


@pytest.mark.parametrize("engine", [postgres, mysql])
def test_a_service_asks_its_database_five_times_before_it_gives_up(engine):
    """`test_a_server_that_never_answers_is_one_sentence_after_five_attempts` uses the waits."""
    assert engine.CONNECT_WAITS == (1.0, 2.0, 3.0, 4.0)


def test_the_rules_of_limits_are_made_of_their_settings():
    rules = LimitSettings(_env_file=None)
    assert rules.per_client() == TokenBucket(100.0, 200)
    assert rules.per_user() == Window(600, 60.0)
    others = {"RATE_LIMIT": 3.0, "RATE_LIMIT_BURST": 4, "USER_RATE_LIMIT": 5}
    changed = LimitSettings(_env_file=None, USER_RATE_SECONDS=6.0, **others)
    assert changed.per_client() == TokenBucket(3.0, 4)
    assert changed.per_user() == Window(5, 6.0)
