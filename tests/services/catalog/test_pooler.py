"""Every test of who offers what once more, behind a real PgBouncer in transaction mode."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from devstack.testing import pgbouncer
from tests.services.catalog.test_providers import *  # noqa: F403 - all of them, as they stand

pytestmark = pytest.mark.long


@pytest.fixture
async def database_url(new_database, monkeypatch) -> AsyncIterator[str]:
    """The URL of a pooler with two sessions before the service's database."""
    direct = await new_database("catalog", demo=True)
    monkeypatch.setenv("DATABASE_POOLER", "transaction")
    with pgbouncer.running(direct, servers=2) as pooler:
        yield pooler.through(direct)
