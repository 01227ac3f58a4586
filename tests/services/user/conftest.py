"""A new environment for each test, with cheap hashes and fast emails."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from services.user import app
from services.user.mailer import MailPolicy
from services.user.passwords import MEMORY_KIB, Passwords
from tests.conftest import NewDatabase
from tests.services.user.world import World, running_world

DEFAULTS = Passwords.__init__.__kwdefaults__


@pytest.fixture(scope="session", autouse=True)
def cheap_hashes() -> Iterator[None]:
    """Use cheap hashes in this process; a service in its own process hashes as in production."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(DEFAULTS, "memory_kib", 64)
        yield


@pytest.fixture(scope="session", autouse=True)
def soon_mailed() -> Iterator[None]:
    """One mailer that checks often is faster than four, and opens one connection instead of four.

    This is only for tests in this process: tests of the mailer itself have four, as in production.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app, "MailPolicy", partial(MailPolicy, senders=1, idle=0.05))
        yield


@pytest.fixture
def full_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use hashes as in production, for tests of the hashes."""
    monkeypatch.setitem(DEFAULTS, "memory_kib", MEMORY_KIB)


@pytest.fixture
def settings() -> dict[str, Any]:
    """The settings of a module or a test for the service of `world`, besides the common ones."""
    return {}


@pytest.fixture
def demo() -> bool:
    """Return whether the database of `world` gets the demo data."""
    return False


@pytest.fixture
async def world(
    new_database: NewDatabase, tmp_path: Path, settings: dict[str, Any], demo: bool
) -> AsyncIterator[World]:
    """The service on its own database; emails are files."""
    async with running_world(await new_database("user", demo=demo), tmp_path, **settings) as world:
        yield world
