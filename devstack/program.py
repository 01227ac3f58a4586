"""One program of the stack: its command, how to check that it is ready, and how to stop it."""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable, Mapping

import msgspec

from devstack.embedded.account import Account


class Program(msgspec.Struct, frozen=True):
    """A child process that the supervisor keeps running.

    `ready` returns whether the program accepts requests, and never raises an exception.
    """

    name: str
    command: list[str]
    ready: Callable[[], Awaitable[bool]]
    env: Mapping[str, str] | None = None  # None: the stack's own
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    ready_within: float = 30.0  # seconds
    stop_within: float = 12.0  # seconds, then it is killed
    optional: bool = False  # the stack also runs without it
    noise: str = ""  # lines with this text are not relayed; empty: relay every line
