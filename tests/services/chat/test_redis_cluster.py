"""Replicas of chat that use a Redis Cluster, of which a node is replaced meanwhile."""

from __future__ import annotations

import asyncio
from pathlib import Path

from devstack.testing.redis_groups import TestCluster
from devstack.testing.wait import eventually
from tests.conftest import Full
from tests.services.chat.replicas import replicas
from tests.services.chat.test_replicas import agreed, channels, one_at_each, talk

__all__ = ["channels"]


async def test_a_node_is_replaced_and_every_message_arrives_once_and_in_order(
    tmp_path: Path, database_url, redis_cluster: TestCluster, issuer, channels, full: Full
) -> None:
    with replicas(2, tmp_path, database_url, redis_cluster.url, issuer) as started:
        movers = await one_at_each(started, issuer, channels)
        try:
            await talk(movers, channels, 5, "before")
            await agreed(movers, channels)
            for number in range(full(9, sample=1)):
                # Whichever they hear from, and whichever they tell, is among these.
                key = ("one", "two", "three")[number % 3]
                replacing = asyncio.create_task(
                    asyncio.to_thread(redis_cluster.replace_primary_of, key)
                )
                await talk(movers, channels, 40, f"during{number}")
                await replacing
                await agreed(movers, channels)
                await asyncio.to_thread(redis_cluster.wait_whole)
            for one in started:
                await eventually(lambda one=one: _hears(one), within=60)
            await talk(movers, channels, 5, "after")
            await agreed(movers, channels)
        finally:
            for mover in movers:
                await mover.stop()


async def _hears(replica) -> bool:
    return "chat_fanout_up 1.0" in await replica.get("metrics")
