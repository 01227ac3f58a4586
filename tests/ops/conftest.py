"""Common parts of the tests of the gateway: a replacement for the service behind it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import pytest

from devstack.embedded.ports import free_port
from devstack.embedded.redis import USERS
from tests.ops.gateways import StandIn

# A copy of `secrets.sh` in a folder of its own does not find it beside itself.
os.environ["REDIS_USERS"] = str(USERS)


@pytest.fixture
async def service() -> AsyncIterator[StandIn]:
    """A user service that responds to everything and records the requests."""
    stand_in = StandIn(free_port())
    async with stand_in.serving():
        yield stand_in
