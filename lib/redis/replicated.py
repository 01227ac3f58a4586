"""Writes that replicas confirm, so that they survive the loss of the primary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, TypeAlias

from redis.asyncio import Redis, RedisCluster
from redis.asyncio.cluster import ClusterNode, PipelineCommand
from redis.exceptions import ClusterDownError, ExecAbortError, RedisError

from lib.redis.client import cluster_of

Command: TypeAlias = Sequence[Any]
# Shorter than the time-out of a connection.
_WAIT_MILLISECONDS: Final = 300


class NotReplicatedError(RedisError):
    """The primary has the write, but too few replicas have confirmed it."""


class ReplicatedWriter:
    """Write to keys atomically, and wait until as many replicas as the URL requires confirm.

    Redis responds before it copies a write to its replicas. If a replica becomes the primary before
    that, the write is lost. After an exception, the write may or may not exist; write it again.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._replicas: int = getattr(redis, "replicas", 0)
        self._is_behind = False

    async def write(self, commands: Mapping[str, Sequence[Command]]) -> None:
        """Run the `commands` of each key in order. A command may access only its own key.

        Raises:
            RedisError, OSError: if Redis is unavailable or has too few replicas.
        """
        if self._is_behind:
            # What is written without its replicas is written again: ask first, not pile it up.
            await self._run(dict.fromkeys(commands, ()))
        await self._run(commands)

    async def _run(self, commands: Mapping[str, Sequence[Command]]) -> None:
        try:
            if (cluster := cluster_of(self._redis)) is not None:
                for key, some in commands.items():
                    await self._on_node(cluster, key, some)
            else:
                together = [command for some in commands.values() for command in some]
                pipeline = self._redis.pipeline(transaction=False)
                for step in self._steps(together):
                    pipeline.execute_command(*step)
                self._check(await pipeline.execute(raise_on_error=False))
        except NotReplicatedError:
            self._is_behind = True
            raise
        self._is_behind = False

    async def _on_node(self, redis: RedisCluster, key: str, commands: Sequence[Command]) -> None:
        await redis.initialize()
        node: ClusterNode | None = redis.get_node_from_key(key)
        if node is None:
            raise ClusterDownError(f"no node serves {key}")
        queue = [PipelineCommand(at, *step) for at, step in enumerate(self._steps(commands))]
        try:
            await node.execute_pipeline(queue)
            self._check([command.result for command in queue])
        except NotReplicatedError:
            raise
        except (RedisError, OSError):
            # Moved, or down: who asks again asks the right one.
            with suppress(RedisError, OSError):
                await redis.nodes_manager.initialize()
            raise

    def _steps(self, commands: Sequence[Command]) -> list[Command]:
        """Return the commands to send on one connection, because WAIT covers only its writes."""
        steps = [("MULTI",), *commands, ("EXEC",)] if commands else []
        return [*steps, ("WAIT", self._replicas, _WAIT_MILLISECONDS)] if self._replicas else steps

    def _check(self, answers: list[Any]) -> None:
        errors = [answer for answer in answers if isinstance(answer, Exception)]
        causes = [error for error in errors if not isinstance(error, ExecAbortError)]
        if errors:
            raise (causes or errors)[0]
        inside = next((answer for answer in answers if isinstance(answer, list)), [])
        for answer in inside:
            if isinstance(answer, Exception):
                raise answer
        if self._replicas and answers[-1] < self._replicas:
            raise NotReplicatedError(
                f"{answers[-1]} of {self._replicas} replicas have confirmed the write"
            )
