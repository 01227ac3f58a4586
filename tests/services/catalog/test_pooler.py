"""Every test of offered services again, through a real PgBouncer in transaction mode."""

from __future__ import annotations

import pytest

from tests.services.catalog.test_providers import *  # noqa: F403 - all of them, as they stand

pytestmark = pytest.mark.long


@pytest.fixture(autouse=True)
def pooled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_POOLER", "transaction")
