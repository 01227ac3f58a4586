"""Count WebSocket frames as bytes arrive, without decoding them."""

from __future__ import annotations

from typing import Final

_LENGTH: Final = 0x7F
_MASKED: Final = 0x80
_MASK_BYTES: Final = 4
_LONGER: Final = {126: 2, 127: 8}  # bytes of a length that does not fit into seven bits


class FrameCounter:
    """Find frame boundaries in a stream that arrives in arbitrary chunks.

    All frames count: receiving control frames and empty fragments costs as much as receiving
    messages.
    """

    __slots__ = ("_header", "_payload")

    def __init__(self) -> None:
        self._header = b""  # the part of a header that has come
        self._payload = 0  # bytes of the present frame that are still to come

    def count(self, data: bytes, most: int) -> int:
        """Return how many frames start in `data`. Stop after `most` + 1 frames."""
        data, self._header = self._header + data, b""
        end, at, frames = len(data), self._payload, 0
        while at < end:
            header = _header_bytes(data, at, end)
            if header is None or at + header > end:
                self._header = data[at:]
                self._payload = 0
                return frames
            frames += 1
            if frames > most:
                return frames
            at += header + _payload_bytes(data, at)
        self._payload = at - end
        return frames


def _header_bytes(data: bytes, at: int, end: int) -> int | None:
    """Return the size of the header at `at`, or None if it is incomplete."""
    if at + 2 > end:
        return None
    second = data[at + 1]
    return 2 + _LONGER.get(second & _LENGTH, 0) + (_MASK_BYTES if second & _MASKED else 0)


def _payload_bytes(data: bytes, at: int) -> int:
    length = data[at + 1] & _LENGTH
    longer = _LONGER.get(length, 0)
    return int.from_bytes(data[at + 2 : at + 2 + longer], "big") if longer else length
