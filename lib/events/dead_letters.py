"""Show dead letters, or put them back with `--redrive`: `python -m lib.events.dead_letters TOPIC`.

Each dead letter returns to the group that failed. Dead letters stay if the inbox may have deleted
its record of them.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from typing import Final

from lib.config import ConfigError, load
from lib.events.broker import Broker
from lib.events.brokers import failures_of, open_broker
from lib.events.maintenance import REMEMBER
from lib.redis.settings import RedisSettings

# At most this many dead letters are listed; their total is reported too.
_SHOWN: Final = 20


async def shown(broker: Broker, topic: str) -> list[str]:
    """Return a line for each of the first dead letters, and a line with the total."""
    letters, count = await broker.dead_letters(topic, _SHOWN)
    lines = []
    for fields in letters:
        text = {name: fields.get(name, b"?").decode(errors="replace") for name in _FIELDS}
        lines.append("  ".join(repr(value)[1:-1] for value in text.values()))
    return [*lines, f"{count} dead letters of {topic}"]


# Which event, about what, who could not handle it, and why.
_FIELDS: Final = (b"id", b"kind", b"key", b"dead_group", b"dead_reason")


async def _run(url: str, topic: str, *, back: bool) -> Sequence[str]:
    async with open_broker(url, name="dead-letters") as broker:
        if not back:
            return await shown(broker, topic)
        back_again, old = await broker.redrive(topic, keep_seconds=REMEMBER.total_seconds())
        said = [f"{back_again} events of {topic} were put back into their stream"]
        return (
            [*said, f"{old} events are older than {REMEMBER.days} days and remain dead letters"]
            if old
            else said
        )


def main(argv: list[str]) -> int:
    """Show or redrive dead letters; exit code: 0 success, 1 no broker or URL, 2 wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m lib.events.dead_letters", description=__doc__)
    parser.add_argument("topic", help="topic that the alert names, such as orders")
    parser.add_argument(
        "--redrive", action="store_true", help="put the events back into their stream"
    )
    given = parser.parse_args(argv)
    try:
        url = load(RedisSettings).url_for("events")
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 1
    if url is None:
        print("set EVENTS_URL or REDIS_URL", file=sys.stderr)
        return 1
    try:
        lines = asyncio.run(_run(url, given.topic, back=given.redrive))
    except failures_of(url) as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
