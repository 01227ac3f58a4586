"""Move the clock of the event loop, so that a test decides when a deadline passes."""

from __future__ import annotations

import asyncio

import pytest


def advance(patch: pytest.MonkeyPatch, seconds: float) -> None:
    """Move the clock of the running loop forward by `seconds`; timers up to then are due."""
    loop = asyncio.get_running_loop()
    # An instance attribute hides the method: asyncio asks `self.time()` before each step.
    now = loop.time
    patch.setattr(loop, "time", lambda: now() + seconds)
