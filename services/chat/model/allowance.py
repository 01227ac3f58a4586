"""Rate limits on the frames and bytes that a user sends over sockets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WireLimits:
    """Limits of one user over all sockets: frames and bytes per second, and bursts."""

    frame_rate: float
    frame_burst: int
    byte_rate: float
    byte_burst: int


class Allowance:
    """The traffic that a user may still send: a token bucket for frames, and one for bytes."""

    __slots__ = ("_at", "_bytes", "_clock", "_frames", "_limits")

    def __init__(self, limits: WireLimits, clock: Callable[[], float]) -> None:
        self._limits = limits
        self._clock = clock
        self._at = clock()
        self._frames: float = limits.frame_burst
        self._bytes: float = limits.byte_burst

    def frames_left(self) -> int:
        """Return the number of frames that are allowed now."""
        limits, now = self._limits, self._clock()
        past, self._at = now - self._at, now
        self._frames = min(limits.frame_burst, self._frames + past * limits.frame_rate)
        self._bytes = min(limits.byte_burst, self._bytes + past * limits.byte_rate)
        return int(self._frames)

    def take(self, frames: int, size: int) -> bool:
        """Subtract received frames and bytes. Return whether both are still within the limits."""
        self._frames -= frames
        self._bytes -= size
        return self._frames >= 0 and self._bytes >= 0
