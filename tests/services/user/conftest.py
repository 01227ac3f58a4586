"""Hashes that cost next to nothing: in most tests a password is only a way in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.user.passwords import MEMORY_KIB, Passwords

DEFAULTS = Passwords.__init__.__kwdefaults__


@pytest.fixture(scope="session", autouse=True)
def cheap_hashes() -> Iterator[None]:
    """In this process; a service in one of its own hashes as in production."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(DEFAULTS, "memory_kib", 64)
        yield


@pytest.fixture
def full_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in production, for what is about them."""
    monkeypatch.setitem(DEFAULTS, "memory_kib", MEMORY_KIB)
