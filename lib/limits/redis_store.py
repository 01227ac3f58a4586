"""Limits shared by replicas: one atomic Redis script, which uses the clock of Redis."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from redis.asyncio import Redis

from lib.limits.rules import Decision, Rule, TokenBucket

PREFIX: Final = "limit:"


@dataclass(frozen=True, slots=True)
class Grant:
    """The number of granted requests, and the decision on the last request.

    `period` is the number of the window in which the requests were counted.
    """

    count: int
    decision: Decision
    period: int = 0


class RedisStore:
    """Count requests in Redis. A key expires when it has no effect on decisions any more."""

    def __init__(self, redis: Redis) -> None:
        self._script = redis.register_script(
            files("lib.limits").joinpath("take.lua").read_text(encoding="utf-8")
        )

    async def take(
        self, rule: Rule, key: str, wanted: int = 1, *, returned: int = 0, period: int = 0
    ) -> Grant:
        """Count as many of the `wanted` requests of `key` as `rule` allows.

        First subtract `returned` requests that were granted in `period` and not used.

        Raises:
            redis.RedisError: if Redis does not respond.
        """
        arguments: tuple[str | float, ...]
        if isinstance(rule, TokenBucket):
            arguments, limit = ("bucket", rule.rate, rule.burst), rule.burst
        else:
            arguments, limit = ("window", rule.limit, rule.seconds), rule.limit
        granted, remaining, retry_after, reset_after, number = await self._script(
            keys=(PREFIX + key,), args=(*arguments, wanted, returned, period)
        )
        decision = Decision(granted > 0, limit, remaining, float(retry_after), float(reset_after))
        return Grant(granted, decision, int(number))
