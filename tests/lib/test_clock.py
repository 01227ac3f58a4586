"""Times in UTC, and actions that run at intervals."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from lib.clock import Every, in_utc


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("2026-01-01T01:00:00+02:00", datetime(2025, 12, 31, 23, tzinfo=UTC)),
        ("0001-01-01T00:00:00+14:00", datetime(1, 1, 1, tzinfo=UTC)),
        ("9999-12-31T23:59:59-12:00", datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
    ],
)
def test_a_moment_that_utc_has_no_name_for_is_the_nearest_that_it_has(given, expected) -> None:
    moment = in_utc(datetime.fromisoformat(given))
    assert (moment, moment.tzinfo) == (expected, UTC)


def test_what_is_done_now_and_then_is_due_at_once_and_again_when_the_time_is_over(
    monkeypatch,
) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    every = Every(10.0)
    assert [every.is_due(), every.is_due()] == [True, False]
    now = 109.9
    assert not every.is_due()
    now = 110.0
    assert [every.is_due(), every.is_due()] == [True, False]
