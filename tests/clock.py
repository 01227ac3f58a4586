"""Move the clock of the event loop, so that a deadline passes when a test says so."""

from __future__ import annotations

import asyncio

import pytest


def advance(patch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let `seconds` pass at once for the running loop. Its timers up to then are due."""
    loop = asyncio.get_running_loop()
    # An instance attribute hides the method: asyncio asks `self.time()` before each step.
    now = loop.time
    patch.setattr(loop, "time", lambda: now() + seconds)
