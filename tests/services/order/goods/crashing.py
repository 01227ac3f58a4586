"""The order service, killed at a chosen point.

Each line of standard input, `{"settings": {...}, "crash_at": "reserve:after"}`, starts it again. It
prints `ready PORT` when it listens and `ended STATUS` when it has ended. An empty line ends it.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
from contextlib import suppress
from typing import Any

from lib.events import Relay
from lib.http.server import serve_app
from services.order.app import create_app
from services.order.config import OrderConfig
from services.order.goods.service import finishing, placing
from services.order.goods.store import orders
from services.order.upstreams import HttpProducts

# Every call to another service and every transaction, some of them also from inside.
STEPS: dict[str, tuple[Any, str]] = {
    "draft": (placing, "_add_draft"),
    "reserve": (HttpProducts, "reserve"),
    "become": (placing, "_become_order"),
    "lines": (orders, "add_order"),
    "confirm": (HttpProducts, "confirm"),
    "sold": (orders, "note_sold"),
    "cancel": (finishing, "cancel"),
    "release": (HttpProducts, "release"),
    "returned": (orders, "note_returned"),
    "move": (orders, "move_order"),
    "send": (Relay, "_send"),
}


def arm(point: str) -> None:
    """Make the process die, as by `kill -9`, before or after a step."""
    name, _, when = point.partition(":")
    owner, attribute = STEPS[name]
    original = getattr(owner, attribute)

    async def step(*args: Any, **kwargs: Any) -> Any:
        if when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = await original(*args, **kwargs)
        if when == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, attribute, step)


async def serve(settings: dict[str, Any]) -> None:
    config = OrderConfig(_env_file=None, **settings)
    async with serve_app(create_app(config), config, port=0) as port:
        print(f"ready {port}", flush=True)
        await asyncio.Event().wait()


def main() -> None:
    # Forked from a process that has imported everything, so that a start takes milliseconds.
    for line in sys.stdin:
        wanted = json.loads(line)
        child = os.fork()
        if child == 0:
            if wanted["crash_at"]:
                arm(wanted["crash_at"])
            asyncio.run(serve(wanted["settings"]))
            os._exit(0)
        ended = threading.Thread(target=_report, args=(child,))
        ended.start()
        if not sys.stdin.readline().strip():
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        ended.join()


def _report(child: int) -> None:
    _, status = os.waitpid(child, 0)
    print(f"ended {os.waitstatus_to_exitcode(status)}", flush=True)


if __name__ == "__main__":
    main()
