"""Readiness: each resource registers a check, and the response names the failed checks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic

from lib.log import get_logger

Ping = Callable[[], Awaitable[object]]

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Readiness:
    """The result of one round of checks: `ok` or a short reason, by resource name."""

    ready: bool
    checks: Mapping[str, str]


@dataclass(slots=True)
class Health:
    """The resources that a process needs. Results are cached briefly, so probes cause no load."""

    service: str
    ping_seconds: float = 2.0
    cache_seconds: float = 1.0
    draining: bool = False  # whether the process is shutting down
    _pings: dict[str, Ping] = field(default_factory=dict)
    _answered: set[str] = field(default_factory=set)
    _optional: set[str] = field(default_factory=set)
    _cached: tuple[float, Readiness] | None = None
    _running: asyncio.Task[Readiness] | None = None

    def add(self, name: str, ping: Ping, *, required: bool = True) -> None:
        """Register a check that must pass for the process to be ready. `name` appears in `/readyz`.

        A check that is not `required` also appears there, but its failure does not make the process
        unready.
        """
        self._pings[name] = ping
        if not required:
            self._optional.add(name)
        self._cached = None

    def drain(self) -> None:
        """Report from now on that the process is not ready.

        The process finishes its requests and accepts no new requests.
        """
        self.draining = True

    async def check(self) -> Readiness:
        """Run all checks concurrently, for at most `ping_seconds`. Never raises."""
        if self.draining:
            return Readiness(ready=False, checks={"process": "draining"})
        if self._cached is not None and monotonic() - self._cached[0] < self.cache_seconds:
            return self._cached[1]
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._ping_all())
        # Shielded: a probe that hangs up must not take the answer from the others that wait for it.
        return await asyncio.shield(self._running)

    async def _ping_all(self) -> Readiness:
        names = tuple(self._pings)
        results = await asyncio.gather(*(self._ping(name) for name in names))
        answer = Readiness(
            ready=all(
                result == "ok" or name in self._optional
                for name, result in zip(names, results, strict=True)
            ),
            checks=dict(zip(names, results, strict=True)),
        )
        self._cached = (monotonic(), answer)
        return answer

    async def _ping(self, name: str) -> str:
        try:
            async with asyncio.timeout(self.ping_seconds):
                await self._pings[name]()
        except TimeoutError:
            return f"no response within {self.ping_seconds:g} s"
        except Exception as error:  # noqa: BLE001 - any failure means "not ready"; the log says which
            # A resource that has never responded may still be starting, so this is not a warning.
            report = log.warning if name in self._answered else log.info
            report("not_ready", resource=name, error=error)
            return "unavailable"
        self._answered.add(name)
        return "ok"
