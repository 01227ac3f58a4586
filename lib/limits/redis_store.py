"""Limits that replicas share: one atomic script in Redis, on the clock of Redis."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from redis.asyncio import Redis

from lib.limits.rules import Decision, Rule, TokenBucket

PREFIX: Final = "limit:"


class RedisStore:
    """Asks Redis. Every key expires when it has nothing left to say."""

    def __init__(self, redis: Redis) -> None:
        self._script = redis.register_script(
            files("lib.limits").joinpath("take.lua").read_text(encoding="utf-8")
        )

    async def take(self, rule: Rule, key: str) -> Decision:
        """Count one request of `key` under `rule`.

        Raises:
            redis.RedisError: where Redis does not answer.
        """
        arguments: tuple[str | float, ...]
        if isinstance(rule, TokenBucket):
            arguments, limit = ("bucket", rule.rate, rule.burst), rule.burst
        else:
            arguments, limit = ("window", rule.limit, rule.seconds), rule.limit
        allowed, remaining, retry_after, reset_after = await self._script(
            keys=(PREFIX + key,), args=arguments
        )
        return Decision(bool(allowed), limit, remaining, float(retry_after), float(reset_after))
