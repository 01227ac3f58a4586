"""Functions count as never NULL only on server versions on which this was measured."""

from __future__ import annotations

import random

import pytest
from aiosqlc.postgres.catalog.totality import total_functions
from aiosqlc.postgres.totality import build
from aiosqlc.servers.postgres.embedded import embedded_server

_CALLED = (16, 18)
_SAMPLE = 40


def test_nothing_is_claimed_of_a_server_version_that_nobody_called() -> None:
    assert [major for major in range(10, 25) if total_functions(major)] == [16, 17, 18]


def test_what_is_claimed_of_17_is_claimed_of_the_versions_around_it() -> None:
    around = total_functions(16).items(), total_functions(18).items()
    assert total_functions(17).items() == around[0] & around[1]
    assert len(total_functions(17)) > 1500


@pytest.mark.parametrize("major", _CALLED)
def test_functions_claimed_total_give_no_null_on_that_server(major: int) -> None:
    with embedded_server(major=major) as server:
        assert build.nulls_among(server.conninfo("postgres"), _drawn(major)) == []


def _drawn(major: int) -> list[int]:
    return random.Random(major).sample(sorted(total_functions(major)), _SAMPLE)
