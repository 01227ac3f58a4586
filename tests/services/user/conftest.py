"""A world for each test; hashes cost next to nothing, and mails leave soon: both are ways in."""

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
    """In this process; a service in one of its own hashes as in production."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(DEFAULTS, "memory_kib", 64)
        yield


@pytest.fixture(scope="session", autouse=True)
def soon_mailed() -> Iterator[None]:
    """One sender that looks often has a mail sooner than four, and opens one connection, not four.

    In worlds of this process only: tests of the mailer itself have as many senders as production.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app, "MailPolicy", partial(MailPolicy, senders=1, idle=0.05))
        yield


@pytest.fixture
def full_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in production, for what is about them."""
    monkeypatch.setitem(DEFAULTS, "memory_kib", MEMORY_KIB)


@pytest.fixture
def settings() -> dict[str, Any]:
    """What a module or a test gives the service of `world`, beside what all do."""
    return {}


@pytest.fixture
def demo() -> bool:
    """Whether the database of `world` holds the demonstration's rows."""
    return False


@pytest.fixture
async def world(
    new_database: NewDatabase, tmp_path: Path, settings: dict[str, Any], demo: bool
) -> AsyncIterator[World]:
    """The service on a database of its own; mails are files."""
    async with running_world(await new_database("user", demo=demo), tmp_path, **settings) as world:
        yield world
