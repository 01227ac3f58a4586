"""`python -m lib.events.dead_letters TOPIC`: shows dead letters; with `--redrive`, puts them back.

Each goes back to the group that failed. Those older than the inbox's memory stay where they are.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from typing import Any, Final

from pydantic import Field
from redis.asyncio import Redis
from redis.exceptions import RedisError

from lib.config import ConfigError, load
from lib.events.event import dead_letters_of
from lib.events.housekeeping import REMEMBER
from lib.events.streams import redrive
from lib.redis import RedisOptions, RedisUrl, open_redis
from lib.redis.settings import RedisSettings

# Of those that are shown; how many there are is told.
_SHOWN: Final = 20


class _Config(RedisSettings):
    """The services' own `REDIS_URL`, or `EVENTS_REDIS_URL`."""

    redis_url: RedisUrl = Field(validation_alias="REDIS_URL")


async def shown(redis: Redis, topic: str) -> list[str]:
    """Return a line for each of the first letters, and one that counts all of them."""
    letters: Any = await redis.xrange(dead_letters_of(topic), count=_SHOWN)
    lines = []
    for _, fields in letters:
        text = {name: fields.get(name, b"?").decode(errors="replace") for name in _FIELDS}
        lines.append("  ".join(repr(value)[1:-1] for value in text.values()))
    return [*lines, f"{await redis.xlen(dead_letters_of(topic))} dead letters of {topic}"]


# Which event, about what, who could not handle it, and why.
_FIELDS: Final = (b"id", b"kind", b"key", b"dead_group", b"dead_reason")


async def _run(topic: str, *, back: bool) -> Sequence[str]:
    url = load(_Config).url_for("events")
    assert url is not None  # noqa: S101 - the configuration requires it
    async with open_redis(RedisOptions(url)) as redis:
        if not back:
            return await shown(redis, topic)
        back_again, old = await redrive(redis, topic, keep_seconds=REMEMBER.total_seconds())
        said = [f"{back_again} events of {topic} are handled again"]
        return [*said, f"{old} are older than {REMEMBER.days} days and stay"] if old else said


def main(argv: list[str]) -> int:
    """Return the exit code: 0 done, 1 Redis or its URL is not there, 2 misused."""
    parser = argparse.ArgumentParser(prog="python -m lib.events.dead_letters", description=__doc__)
    parser.add_argument("topic", help="such as orders; the alert names it")
    parser.add_argument("--redrive", action="store_true", help="put them back into their stream")
    given = parser.parse_args(argv)
    try:
        lines = asyncio.run(_run(given.topic, back=given.redrive))
    except (ConfigError, RedisError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
